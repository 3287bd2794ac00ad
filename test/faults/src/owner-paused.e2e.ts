import { NO_DEADLINE, until } from '@sluice/judged-load';
import { TcpLink } from '@sluice/testing';
import { commandClient, credit, openSideAccount, postReasons } from './harness/side-account';
import { PARTITIONS, testFault } from './harness/under-load';

const STALE_ACCOUNT = '{l}-stale';
const STALE_PARTITION = 0;

/** The way of each command instance to NATS, by its name. */
const links = new Map<string, TcpLink>();
const NAMES = ['command-1', 'command-2'];
let natsPort = 0;
beforeAll(async () => {
  for (const name of NAMES) links.set(name, await TcpLink.open(() => natsPort));
});
afterAll(() => Promise.all([...links.values()].map((link) => link.close())));

testFault(
  'an owner paused for longer than its lease: when it goes on it appends, and the log refuses what it appends',
  {
    environmentOf: (name, { nats }): Record<string, string> => {
      natsPort = Number(new URL(nats.url).port);
      const link = links.get(name);
      return link === undefined ? {} : { SLUICE_NATS_URL: `nats://${link.address}` };
    },
  },
  async ({ load, projector, calls, lines, ownerOf, holderOf }) => {
    const paused = await ownerOf(STALE_PARTITION);
    const client = commandClient(paused.address);
    expect(load.partitionOf(STALE_ACCOUNT)).toBe(STALE_PARTITION);
    await openSideAccount(client, STALE_ACCOUNT);
    const link = links.get(paused.name);
    try {
      // It never hears of the new owner: only the log can say that the partition has one.
      link?.silence();
      paused.signal('SIGSTOP');
      await until('another instance owns the partition', async () => ![undefined, paused.name].includes(await holderOf(`command/${STALE_PARTITION}`)));
      await load.moreEverywhere(20);
      const answer = postReasons(client, [credit(STALE_ACCOUNT, 'stale')], { limitMs: NO_DEADLINE });
      paused.signal('SIGCONT');
      // The append is refused, and the old owner steps down. It knows of no other instance that it could send the request on to.
      expect(await answer).toEqual(['PARTITION_UNAVAILABLE']);
    } finally {
      paused.signal('SIGCONT');
      link?.speak();
      client.close();
    }
    const refused = lines
      .of(paused.name)
      .map((line) => JSON.parse(line) as { readonly partition?: number; readonly message?: string; readonly error?: { readonly name?: string } })
      .filter(({ message }) => message === 'another owner has taken the partition: an append was refused');
    expect(refused).toContainEqual(expect.objectContaining({ partition: STALE_PARTITION, error: expect.objectContaining({ name: 'SequenceTakenError' }) }));
    const again = commandClient(paused.address);
    await until('the posting has its verdict', async () => (await postReasons(again, [credit(STALE_ACCOUNT, 'stale')], { limitMs: 2_000 }))[0] === undefined);
    again.close();
    await load.more(1_000);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const epochs = await calls.epochs(projector[0]?.address ?? '', partition);
      expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
    }
  },
);
