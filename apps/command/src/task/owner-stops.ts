/**
 * Stops of attempts whose queues other instances own: a stream per partition, while workers of this instance hold leases of it.
 *
 *   a lease is held ──▶ open ──the owner changes, or is silent──▶ opened again, with the leases that are held then
 *                        └──no lease is held for LINGER_MS──▶ closed
 *
 * The owner answers first which of the named leases are not in force any more, so that nothing is missed between two streams. A partition that is
 * served here needs no answers: its queues tell the holders themselves.
 */
import type { PartitionHop } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { taskpb } from '@sluice/protocol/task';
import { type CallContext, type Caller, GatheredCall } from '@sluice/service';
import { MAXIMUM_HELD_NAMED } from './limits';
import type { StopListeners } from './stop-listeners';

/** Before a stream that brought nothing is opened again. */
const FIRST_PAUSE_MS = 50;
const MAXIMUM_PAUSE_MS = 1_000;
/** A worker that ends one task and takes the next must not cost a stream each time. */
const LINGER_MS = 10_000;

const CALLER: Caller = Object.freeze({ name: 'workers', roles: new Set(['post'] as const) });

interface Watch {
  readonly partition: number;
  readonly held: Set<taskpb.Lease>;
  pauseMs: number;
  stream: { cancel(): void } | undefined;
  cancelPause: (() => void) | undefined;
  cancelLinger: (() => void) | undefined;
}

export class OwnerStops {
  private readonly watches = new Map<number, Watch>();

  constructor(
    private readonly listeners: StopListeners,
    private readonly hop: PartitionHop<CallContext>,
    private readonly clock: Clock,
  ) {}

  /** A worker of this instance holds the lease. Returns how to end that. */
  hold(partition: number, lease: taskpb.Lease): () => void {
    let watch = this.watches.get(partition);
    if (watch === undefined) {
      watch = { partition, held: new Set(), pauseMs: FIRST_PAUSE_MS, stream: undefined, cancelPause: undefined, cancelLinger: undefined };
      this.watches.set(partition, watch);
    }
    const { held } = watch;
    held.add(lease);
    watch.cancelLinger?.();
    watch.cancelLinger = undefined;
    if (watch.stream === undefined && watch.cancelPause === undefined) this.open(watch);
    return () => {
      if (held.delete(lease) && held.size === 0) this.linger(watch);
    };
  }

  close(): void {
    for (const watch of [...this.watches.values()]) this.end(watch);
  }

  private open(watch: Watch): void {
    const { partition, held } = watch;
    watch.cancelPause = undefined;
    const { path, requestSerialize, responseDeserialize } = taskpb.TaskLeaseServiceService.watchStops;
    const request = requestSerialize({ partition, held: [...held].slice(-MAXIMUM_HELD_NAMED) });
    watch.stream = this.hop.stream(partition, path, request, new GatheredCall(CALLER, Number.POSITIVE_INFINITY), {
      message: (bytes) => {
        watch.pauseMs = FIRST_PAUSE_MS;
        for (const stop of responseDeserialize(bytes).stops) this.listeners.heard(stop);
      },
      ended: () => {
        watch.stream = undefined;
        watch.cancelPause = this.clock.after(watch.pauseMs, () => this.open(watch));
        watch.pauseMs = Math.min(2 * watch.pauseMs, MAXIMUM_PAUSE_MS);
      },
    });
  }

  private linger(watch: Watch): void {
    if (this.watches.get(watch.partition) === watch) watch.cancelLinger = this.clock.after(LINGER_MS, () => this.end(watch));
  }

  private end(watch: Watch): void {
    this.watches.delete(watch.partition);
    watch.stream?.cancel();
    watch.cancelPause?.();
    watch.cancelLinger?.();
  }
}
