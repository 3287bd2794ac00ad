import { NatsLeaseTable, NatsLink } from '@sluice/bus-nats';
import { SessionLease } from '@sluice/leases';
import type { HeldLease } from '@sluice/ports';
import { deploymentOf } from '../harness/strangers';
import { commandClient, credit, openSideAccount, postReasons } from '../harness/side-account';
import { PARTITIONS, type Fault } from '../harness/under-load';

const LEASE_TTL_MS = 120_000;
/** A request that went in circles would end with its deadline, not with a refusal. */
const CALL_LIMIT_MS = 30_000;
/** So long the callers of the load meet instances that disagree. */
const DISAGREE_MS = 2_000;

export const ownersDisagree: Fault = {
  name: 'two instances that each take the other for the owner: a request makes one hop and is refused, it does not go in circles',
  options: { spread: false },
  run: async ({ distributed, command, load, withoutService }) => {
    const [one, two] = command;
    if (one === undefined || two === undefined) throw new Error('two instances are needed');
    const link = await NatsLink.open({ url: distributed.nats.url });
    const held = new Map<SessionLease, HeldLease[]>();
    const letGo = async (): Promise<void> => {
      for (const [lease, leases] of held) {
        held.delete(lease);
        for (const each of leases) await lease.release(each);
        await lease.close();
      }
    };
    try {
      await withoutService(async () => {
        await Promise.all([one.stop(), two.stop()]);
        // While they are away every partition is given to the other one, in the eyes of each.
        for (const [self, other] of [
          [one, two],
          [two, one],
        ] as const) {
          const table = await NatsLeaseTable.open({ link, deployment: deploymentOf(self.name) });
          const lease = await SessionLease.open({ table, holder: { id: 'elsewhere', address: other.address }, ttlMs: LEASE_TTL_MS });
          held.set(lease, []);
          const names = Array.from({ length: PARTITIONS }, (_, partition) => `command/${partition}`);
          const leases = await Promise.all(names.map((name) => lease.acquire(name)));
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
        await letGo();
      });
      await load.moreEverywhere(100);
    } finally {
      await letGo();
      await link.close();
    }
  },
};

async function expectRefusal(address: string): Promise<void> {
  const client = commandClient(address);
  try {
    await expect(openSideAccount(client, 'anybody', { limitMs: CALL_LIMIT_MS })).rejects.toThrow(/UNAVAILABLE/);
    expect(await postReasons(client, [credit('anybody', 'post')], { limitMs: CALL_LIMIT_MS })).toEqual(['PARTITION_UNAVAILABLE']);
  } finally {
    client.close();
  }
}
