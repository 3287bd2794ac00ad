/** Which instances of a deployment run, as the lease service shows. */
import type { Clock, Lease } from '@sluice/ports';

/** Every service renews its session more often. */
const SIGN_OF_LIFE_MS = 5_000;

/** Ids of the instances that hold something and give a sign of life meanwhile. */
export async function runningInstances(lease: Pick<Lease, 'watch'>, clock: Clock): Promise<string[]> {
  const running = new Set<string>();
  const endWatch = lease.watch((event) => {
    if (event.kind === 'held' && event.confirmed) running.add(event.lease.holder.id);
  });
  await new Promise<void>((resolve) => clock.after(SIGN_OF_LIFE_MS, resolve));
  endWatch();
  return [...running].sort();
}
