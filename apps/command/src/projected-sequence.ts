/**
 * What the read store has of a partition, so that an owner publishes only what projectors lack. Asked when a partition is loaded
 * and when the bus has lost messages, never on the way of a request; without an answer only new commits are published, and
 * projectors read the rest from the log.
 */
import type { ReadStore } from '@sluice/ports';

/** @param store undefined while it was not reached yet. */
export function projectedSequence(store: () => ReadStore | undefined, incarnation: string): (partition: number) => Promise<number> {
  return async (partition) => {
    const reached = store();
    if (reached === undefined) throw new Error('the read store was not reached yet');
    // Rows of another log are rebuilt from this one: nobody waits for messages.
    if ((await reached.incarnation()) !== incarnation) return Number.MAX_SAFE_INTEGER;
    const checkpoints = await (await reached.current()).checkpoints();
    // A projection that is being filled reads the log: only the newest ones take commits from the bus.
    return Math.max(0, ...checkpoints.filter((checkpoint) => checkpoint.partition === partition).map(({ sequence }) => sequence));
  };
}
