/** Which partitions this process holds and cannot project: the service is not ready while there are any. */
import { Readiness } from '@sluice/service';
import type { ProjectorObserver } from './projector-observer';

export class BlockedPartitions {
  readonly readiness = new Readiness();
  private readonly partitions = new Set<number>();

  /** The observer, followed. */
  over(observer: ProjectorObserver): ProjectorObserver {
    return {
      ...observer,
      blocked: (blocked) => {
        this.partitions.add(blocked.partition);
        this.readiness.set(false);
        observer.blocked(blocked);
      },
      unblocked: (partition) => {
        this.remove(partition);
        observer.unblocked(partition);
      },
    };
  }

  /** The projector starts anew: it will say again which partitions are blocked. */
  clear(): void {
    for (const partition of [...this.partitions]) this.remove(partition);
  }

  private remove(partition: number): void {
    this.partitions.delete(partition);
    this.readiness.set(this.partitions.size === 0);
  }
}
