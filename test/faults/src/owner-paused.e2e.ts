import { called, NO_DEADLINE, PLAIN_ACCESS, QUICK_RECONNECT, until } from '@sluice/judged-load';
import { accountpb } from '@sluice/protocol';
import { PARTITIONS, testFault } from './harness/under-load';

const STALE_ACCOUNT = '{l}-stale';
const STALE_PARTITION = 0;

testFault(
  'an owner paused for longer than its lease: when it goes on it appends, and the log refuses what it appends',
  {},
  async ({ distributed, load, projector, calls, lines, ownerOf, holderOf }) => {
    const paused = await ownerOf(STALE_PARTITION);
    const client = new accountpb.AccountCommandServiceClient(paused.address, PLAIN_ACCESS.credentials, QUICK_RECONNECT);
    const account = accountpb.AccountOpening.fromPartial({ requestId: 'open', accountId: STALE_ACCOUNT, unit: 'EUR' });
    expect(load.partitionOf(STALE_ACCOUNT)).toBe(STALE_PARTITION);
    await called(client.openAccount.bind(client), { account });
    const { nats } = distributed;
    try {
      paused.signal('SIGSTOP');
      await until('another instance owns the partition', async () => ![undefined, paused.name].includes(await holderOf(`command/${STALE_PARTITION}`)));
      await load.moreEverywhere(20);
      // The leases are silent, too: only the log can say that the partition has another owner.
      nats.signal('SIGSTOP');
      const posting = accountpb.Posting.fromPartial({
        requestId: 'stale',
        accountId: STALE_ACCOUNT,
        type: accountpb.PostingType.POSTING_TYPE_CREDIT,
        amountMinor: 1n,
        unit: 'EUR',
      });
      const answer = called(client.postBatch.bind(client), accountpb.PostBatchRequest.fromPartial({ postings: [posting] }), { limitMs: NO_DEADLINE });
      paused.signal('SIGCONT');
      const { results } = await answer;
      expect(results.map(({ error }) => error?.reason)).toEqual(['PARTITION_UNAVAILABLE']);
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
    await load.more(1_000);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const epochs = await calls.epochs(projector[0]?.address ?? '', partition);
      expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
    }
  },
);
