import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PLAIN_ACCESS, called, complaintsOf, judge, until } from '@sluice/judged-load';
import { healthpb } from '@sluice/protocol';
import { Binary, MongoClient } from 'mongodb';
import { commandClient, credit, openSideAccount, postReasons } from '../harness/side-account';
import { DEPLOYMENT, type Fault } from '../harness/under-load';

const CLI = join(__dirname, '../../../../apps/sluice/dist/main.js');
const REFUSED = 1;
const CHANGED_PARTITION = 0;
const CHANGED_ACCOUNT = '{l}-side';
const OTHER_ACCOUNT = '{b}-side';

interface StoredCommit {
  readonly _id: { readonly partition: number; readonly sequence: bigint };
  readonly bytes: Binary;
}

/** Changes one bit of the newest commit of the partition; returns its sequence. */
async function changeNewestCommit(url: string): Promise<bigint> {
  const mongodb = new MongoClient(url, { useBigInt64: true });
  try {
    const commits = mongodb.db().collection<StoredCommit>('commits');
    const [newest] = await commits.find({ '_id.partition': CHANGED_PARTITION }).sort({ _id: -1 }).limit(1).toArray();
    if (newest === undefined) throw new Error('there is no commit');
    const bytes = Buffer.from(newest.bytes.value());
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await commits.updateOne({ _id: newest._id }, { $set: { bytes: new Binary(bytes) } });
    return newest._id.sequence;
  } finally {
    await mongodb.close();
  }
}

export const commitChanged: Fault = {
  name: 'a commit of the log is changed: the next owner says where and what to do, is not ready, and serves the other partitions; the repair mends it',
  options: { afterwards: false, judged: false },
  run: async ({ distributed, load, anotherLoad, command, query, projector, calls, lines, ownerOf, holderOf }) => {
    const owner = await ownerOf(CHANGED_PARTITION);
    const heir = command.find(({ name }) => name !== owner.name);
    if (heir === undefined) throw new Error('there is no other instance');
    expect(load.partitionOf(CHANGED_ACCOUNT)).toBe(CHANGED_PARTITION);
    expect(load.partitionOf(OTHER_ACCOUNT)).not.toBe(CHANGED_PARTITION);
    const client = commandClient(heir.address);
    const health = new healthpb.HealthClient(heir.address, PLAIN_ACCESS.credentials);
    try {
      for (const id of [CHANGED_ACCOUNT, OTHER_ACCOUNT]) await openSideAccount(client, id);
      await load.stop();
      // What the repair drops is nothing of the load.
      expect(await postReasons(client, [credit(CHANGED_ACCOUNT, 'dropped')])).toEqual([undefined]);
      await owner.kill();
      const sequence = await changeNewestCommit(distributed.mongodb.url);
      await until('the other instance holds the partition', async () => (await holderOf(`command/${CHANGED_PARTITION}`)) === heir.name);
      const place = `sluice log repair --drop-from ${CHANGED_PARTITION}:${sequence}`;
      await until('it says where and what to do', async () => lines.of(heir.name).some((line) => line.includes('"level":"error"') && line.includes(place)));
      await until('it is not ready', async () => {
        const { status } = await called(health.check.bind(health), { service: '' });
        return status === healthpb.HealthCheckResponse_ServingStatus.NOT_SERVING;
      });
      expect(await postReasons(client, [credit(CHANGED_ACCOUNT, 'lost')])).toEqual(['PARTITION_UNAVAILABLE']);
      await until('the other partitions are served', async () => (await postReasons(client, [credit(OTHER_ACCOUNT, 'kept')]))[0] === undefined);

      // The command that the message names, with the environment of the services.
      const repair = (): ReturnType<typeof spawnSync> =>
        spawnSync(process.execPath, [CLI, ...place.split(' ').slice(1), '--yes'], {
          encoding: 'utf8',
          env: { SLUICE_MONGODB_URL: distributed.mongodb.url, SLUICE_NATS_URL: distributed.nats.url, SLUICE_DEPLOYMENT: DEPLOYMENT },
        });
      const refused = repair();
      expect([refused.status, refused.stderr]).toEqual([REFUSED, expect.stringMatching(/stop every service first: .*command-/)]);
      await Promise.all(distributed.processes.map((process) => process.stop()));
      const repaired = repair();
      expect([repaired.status, repaired.stdout]).toEqual([0, expect.stringContaining('dropped            1 commits')]);
      await Promise.all(distributed.processes.map((process) => process.start()));
      await Promise.all(distributed.processes.map((process) => process.untilServing()));
      const again = anotherLoad('after-the-repair');
      again.start();
      await again.moreEverywhere(40);
      await again.stop();
      const addresses = { query: query[0]?.address ?? '', projector: projector[0]?.address ?? '' };
      expect(complaintsOf(await judge([load, again], calls, addresses))).toEqual([]);
    } finally {
      client.close();
      health.close();
    }
  },
};
