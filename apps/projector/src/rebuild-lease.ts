/** The lease that makes a rebuild the only one, over all processes. A rebuild that loses it stops. */
import type { Clock, HeldLease, Lease, LeaseHolder } from '@sluice/ports';

const REBUILD_LEASE = 'projector-rebuild';
/** A lease is renewed so many times before it runs out. */
const RENEWALS_PER_TTL = 3;

export interface RebuildLease {
  /** Aborts when another process has the lease. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface RebuildLeaseOptions {
  readonly lease: Lease;
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** Undefined: another process has it. While the lease service cannot be reached, nobody can take it from the holder. */
export async function takeRebuildLease({ lease, holder, ttlMs, clock }: RebuildLeaseOptions): Promise<RebuildLease | undefined> {
  const acquired = await lease.acquire(REBUILD_LEASE, holder, ttlMs);
  if (acquired === undefined) return undefined;
  let held: HeldLease = acquired;
  const lost = new AbortController();
  let released = false;
  let cancel = (): void => undefined;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async (): Promise<void> => {
    try {
      // One that ran out, and that no other process took, is taken again.
      const renewed = (await lease.renew(held, ttlMs)) ?? (await lease.acquire(REBUILD_LEASE, holder, ttlMs));
      if (renewed === undefined) lost.abort();
      else held = renewed;
    } catch {
      // The lease service cannot be reached; the next round tries again.
    }
  };
  const schedule = (): void => {
    cancel = clock.after(ttlMs / RENEWALS_PER_TTL, () => {
      renewing = renew().then(() => {
        if (!released && !lost.signal.aborted) schedule();
      });
    });
  };
  schedule();
  return {
    lost: lost.signal,
    release: async () => {
      released = true;
      cancel();
      await renewing;
      if (!lost.signal.aborted) await lease.release(held).catch(() => undefined);
    },
  };
}
