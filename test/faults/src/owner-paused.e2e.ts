import { NO_DEADLINE, until } from '@sluice/judged-load';
import { commandClient, credit, openSideAccount, postReasons } from './harness/side-account';
import { PARTITIONS, testFault } from './harness/under-load';

const STALE_ACCOUNT = '{l}-stale';
const STALE_PARTITION = 0;

testFault(
  'an owner paused for longer than its lease: when it goes on it appends, and the log refuses what it appends',
  {},
  async ({ distributed, load, projector, calls, lines, ownerOf, holderOf }) => {
    const paused = await ownerOf(STALE_PARTITION);
    const client = commandClient(paused.address);
    expect(load.partitionOf(STALE_ACCOUNT)).toBe(STALE_PARTITION);
    await openSideAccount(client, STALE_ACCOUNT);
    const { nats } = distributed;
    try {
      paused.signal('SIGSTOP');
      await until('another instance owns the partition', async () => ![undefined, paused.name].includes(await holderOf(`command/${STALE_PARTITION}`)));
      await load.moreEverywhere(20);
      // The leases are silent, too: only the log can say that the partition has another owner.
      nats.signal('SIGSTOP');
      const answer = postReasons(client, [credit(STALE_ACCOUNT, 'stale')], { limitMs: NO_DEADLINE });
      paused.signal('SIGCONT');
      // The old owner steps down when its append is refused. The caller hears so, or has the answer of the new owner, to which the request was sent on.
      expect([undefined, 'PARTITION_UNAVAILABLE']).toContain((await answer)[0]);
    } finally {
      paused.signal('SIGCONT');
      nats.signal('SIGCONT');
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
