/** What one partition owes to others. Nothing owes anything yet. */
import type { SnapshotSession } from '../capability';
import type { DeliveriesRoom, OwedDelivery } from '../internal/engine-room';
import type { Turn } from '../partition/turn';

export class DeliveryRoom implements DeliveriesRoom {
  readonly name = 'deliveries';
  readonly snapshotVersion = 1;

  owe(_turn: Turn, { capability, method }: OwedDelivery): string {
    throw new Error(`${capability}.${method} cannot be owed yet`);
  }

  flush(): void {}

  beginSnapshot(): SnapshotSession {
    return { next: () => undefined, end: () => undefined };
  }

  restore(): void {
    throw new Error('a snapshot has no deliveries yet');
  }
}
