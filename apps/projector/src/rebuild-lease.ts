/** The lease that makes a rebuild the only one, over all processes. A rebuild that loses it stops. */
import type { Lease } from '@sluice/ports';

const REBUILD_LEASE = 'projector-rebuild';

export interface RebuildLease {
  /** Aborts when another process has the lease. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Undefined: another process has it. While the lease service cannot be reached, no process can take it from the holder. */
export async function takeRebuildLease(lease: Lease): Promise<RebuildLease | undefined> {
  const held = await lease.acquire(REBUILD_LEASE);
  if (held === undefined) return undefined;
  const lost = new AbortController();
  const endWatch = lease.watch((event) => {
    if (event.kind === 'lost' && event.lease.name === REBUILD_LEASE) lost.abort();
  });
  return {
    lost: lost.signal,
    release: async () => {
      endWatch();
      await lease.release(held);
    },
  };
}
