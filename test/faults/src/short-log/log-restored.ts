import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { caughtUp, complaintsOf, judge } from '@sluice/judged-load';
import { MongoConnection } from '@sluice/store-mongo';
import type { Fault } from '../harness/under-load';

const CLI = join(__dirname, '../../../../apps/sluice/dist/main.js');

interface Commit {
  readonly _id: { readonly partition: number; readonly sequence: bigint };
}

function keyOf({ partition, sequence }: Commit['_id']): string {
  return `${partition}/${sequence}`;
}

export const logRestored: Fault = {
  name: 'the log is restored from a backup that is older than the read store: it gets a new incarnation, reads are rebuilt, work goes on',
  options: { afterwards: false, judged: false },
  run: async ({ distributed, load, anotherLoad, query, projector, calls }) => {
    const addresses = { query: query[0]?.address ?? '', projector: projector[0]?.address ?? '' };
    const [account = ''] = load.acknowledged.keys();
    const connection = await MongoConnection.open({ url: distributed.mongodb.url });
    const commits = connection.db.collection<Commit>('commits');
    await load.stop();
    const kept = (await commits.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => keyOf(_id));

    // What is acknowledged after the backup is what a restore loses.
    const after = anotherLoad('after-the-backup');
    after.start();
    await after.more(300);
    await after.stop();
    await caughtUp(calls, addresses.projector);

    await Promise.all(distributed.processes.map((process) => process.stop()));
    const later = (await commits.find({}, { projection: { _id: 1 } }).toArray()).filter(({ _id }) => !kept.includes(keyOf(_id)));
    for (const { _id } of later) await commits.deleteOne({ _id });
    await connection.close();
    execFileSync(process.execPath, [CLI, 'log', 'restored', '--yes', '--log-url', distributed.mongodb.url]);
    await Promise.all(distributed.processes.map((process) => process.start()));
    await Promise.all(distributed.processes.map((process) => process.untilServing()));

    const again = anotherLoad('again');
    again.start();
    await again.more(300);
    await again.stop();
    expect(complaintsOf(await judge([load, again], calls, addresses))).toEqual([]);
    expect(after.positionToken).not.toBe('');
    await expect(calls.account(addresses.query, account, after.positionToken)).rejects.toThrow(/incarnation/);
  },
};
