/** What is due in one partition. Nothing is due yet. */
import type { SnapshotSession } from '../capability';
import type { DueCommand, TimersRoom } from '../internal/engine-room';
import type { Turn } from '../partition/turn';

export class TimerRoom implements TimersRoom {
  readonly name = 'timers';
  readonly snapshotVersion = 1;

  set(_turn: Turn, { capability, method }: DueCommand): void {
    throw new Error(`${capability}.${method} cannot become due yet`);
  }

  cancel(): void {}

  flush(): void {}

  beginSnapshot(): SnapshotSession {
    return { next: () => undefined, end: () => undefined };
  }

  restore(): void {
    throw new Error('a snapshot has no timers yet');
  }
}
