/** Which processes hold leases, by the lease service itself. */
import { NatsLeaseTable, NatsLink } from '@sluice/bus-nats';
import { SessionLease } from '@sluice/leases';

/** Takes no lease. */
const OBSERVER = { id: 'observer', address: 'none' };
const OBSERVER_TTL_MS = 2_000;

export interface LeaseHoldersOptions {
  readonly natsUrl: string;
  readonly deployment: string;
}

/** Instances that hold the leases ("command/0", "projector/3"), in the order of the names; undefined: none. Rejects while NATS is away. */
export async function leaseHolders({ natsUrl, deployment }: LeaseHoldersOptions, names: readonly string[]): Promise<(string | undefined)[]> {
  const link = await NatsLink.open({ url: natsUrl });
  try {
    const table = await NatsLeaseTable.open({ link, deployment });
    const lease = await SessionLease.open({ table, holder: OBSERVER, ttlMs: OBSERVER_TTL_MS });
    const held = await Promise.all(names.map((name) => lease.read(name)));
    await lease.close();
    return held.map((each) => each?.holder.id);
  } finally {
    await link.close();
  }
}
