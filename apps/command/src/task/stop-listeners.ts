/** Who hears of attempts that are ended by others than their workers: the holders of their leases, and other instances with workers. */
import type { taskpb } from '@sluice/protocol/task';

export type StopListener = (stop: taskpb.Stop) => void;

export class StopListeners {
  /** By lease. */
  private readonly holders = new Map<string, StopListener>();
  /** By partition. */
  private readonly followers = new Map<number, Set<StopListener>>();

  /** Tells of the stop of one lease. Returns how to end that. */
  onStop({ taskId, leaseToken }: taskpb.Lease, listener: StopListener): () => void {
    const key = keyOf(taskId, leaseToken);
    this.holders.set(key, listener);
    return () => {
      if (this.holders.get(key) === listener) this.holders.delete(key);
    };
  }

  /** Tells of every stop that queues of the partition decide here. Returns how to end that. */
  follow(partition: number, listener: StopListener): () => void {
    const followers = this.followers.get(partition) ?? new Set();
    this.followers.set(partition, followers);
    followers.add(listener);
    return () => {
      followers.delete(listener);
      if (followers.size === 0 && this.followers.get(partition) === followers) this.followers.delete(partition);
    };
  }

  /** A queue of the partition, which is served here, ended the attempt. */
  ended(partition: number, stop: taskpb.Stop): void {
    this.heard(stop);
    for (const follower of this.followers.get(partition) ?? []) follower(stop);
  }

  /** The owner of the queue ended the attempt, wherever it is. */
  heard(stop: taskpb.Stop): void {
    if (stop.lease !== undefined) this.holders.get(keyOf(stop.lease.taskId, stop.lease.leaseToken))?.(stop);
  }
}

function keyOf(taskId: string, leaseToken: string): string {
  return `${taskId}#${leaseToken}`;
}
