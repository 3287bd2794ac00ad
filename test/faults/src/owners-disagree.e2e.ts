import { NatsLease, NatsLink } from '@sluice/bus-nats';
import { called, PLAIN_ACCESS, QUICK_RECONNECT } from '@sluice/judged-load';
import { accountpb } from '@sluice/protocol';
import type { HeldLease } from '@sluice/ports';
import { PARTITIONS, testFault } from './harness/under-load';

const LEASE_TTL_MS = 120_000;
/** A request that went in circles would end with its deadline, not with a refusal. */
const CALL_LIMIT_MS = 3_000;
/** So long the callers of the load meet instances that disagree. */
const DISAGREE_MS = 2_000;
const DEPLOYMENTS: Readonly<Record<string, string>> = { 'command-2': 'two' };
const deploymentOf = (name: string): string => DEPLOYMENTS[name] ?? 'one';

testFault(
  'two instances that each take the other for the owner: a request makes one hop and is refused, it does not go in circles',
  { environmentOf: (name) => ({ SLUICE_DEPLOYMENT: deploymentOf(name) }) },
  async ({ distributed, command, load, withoutService }) => {
    const [one, two] = command;
    if (one === undefined || two === undefined) throw new Error('two instances are needed');
    const link = await NatsLink.open({ url: distributed.nats.url });
    try {
      await withoutService(async () => {
        await Promise.all([one.stop(), two.stop()]);
        // While they are away every partition is given to the other one, in the eyes of each.
        const held = new Map<NatsLease, HeldLease[]>();
        for (const [self, other] of [
          [one, two],
          [two, one],
        ] as const) {
          const lease = await NatsLease.open({ link, deployment: deploymentOf(self.name) });
          const names = Array.from({ length: PARTITIONS }, (_, partition) => `command/${partition}`);
          const leases = await Promise.all(names.map((name) => lease.acquire(name, { id: 'elsewhere', address: other.address }, LEASE_TTL_MS)));
          expect(leases).not.toContain(undefined);
          held.set(
            lease,
            leases.filter((each) => each !== undefined),
          );
        }
        await Promise.all([one.start(), two.start()]);
        await Promise.all([one.untilServing(), two.untilServing()]);
        for (const { address } of [one, two]) await expectRefusal(address);
        const before = load.acknowledgedPostings;
        await new Promise((resolve) => setTimeout(resolve, DISAGREE_MS));
        expect(load.acknowledgedPostings).toBe(before);
        await two.stop();
        for (const [lease, leases] of held) for (const each of leases) await lease.release(each);
      });
      await load.moreEverywhere(100);
    } finally {
      await link.close();
    }
  },
);

async function expectRefusal(address: string): Promise<void> {
  const client = new accountpb.AccountCommandServiceClient(address, PLAIN_ACCESS.credentials, QUICK_RECONNECT);
  try {
    const account = accountpb.AccountOpening.fromPartial({ requestId: 'open', accountId: 'anybody', unit: 'EUR' });
    await expect(called(client.openAccount.bind(client), { account }, { limitMs: CALL_LIMIT_MS })).rejects.toThrow(/UNAVAILABLE/);
    const posting = accountpb.Posting.fromPartial({
      requestId: 'post',
      accountId: 'anybody',
      type: accountpb.PostingType.POSTING_TYPE_CREDIT,
      amountMinor: 1n,
      unit: 'EUR',
    });
    const request = accountpb.PostBatchRequest.fromPartial({ postings: [posting] });
    const { results } = await called(client.postBatch.bind(client), request, { limitMs: CALL_LIMIT_MS });
    expect(results.map(({ error }) => error?.reason)).toEqual(['PARTITION_UNAVAILABLE']);
  } finally {
    client.close();
  }
}
