/**
 * When timers are due next, of every partition, as the instances that serve them say. One stream per instance tells it.
 *
 *   instance   came ──▶ watched ──stream ended──▶ not watched ──after a pause──▶ watched …      (gone: forgotten)
 *
 * While an instance is not watched what it said last stands: one that stops ends its streams and still serves what it has not handed over. The first
 * message of a stream says everything anew.
 */
import type { Clock } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import type { Logger } from '@sluice/telemetry';
import type { CommandInstance, CommandInstances } from '../owners/command-instances';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** A partition as one instance serves it: another object when the instance serves it anew, or when another one does. */
export interface WatchedPartition {
  readonly instance: CommandInstance;
  readonly partition: number;
  /** Undefined: none waits. */
  earliestDueUs: number | undefined;
  pending: number;
  /** Counts what the instance has said about it. */
  told: number;
}

interface WatchedInstance {
  readonly instance: CommandInstance;
  readonly partitions: Map<number, WatchedPartition>;
  /** What its clock says beyond that of this process, in microseconds. */
  aheadUs: number;
  pauseMs: number;
  /** The next message is the first of its stream. */
  isFirst: boolean;
  cancel: () => void;
}

export interface DueWatchOptions {
  readonly instances: CommandInstances;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Something is known that was not known before. */
  readonly changed: () => void;
}

export class DueWatch {
  private readonly watched = new Map<CommandInstance, WatchedInstance>();
  private readonly endWatch: () => void;

  constructor(private readonly options: DueWatchOptions) {
    this.endWatch = options.instances.watch({ came: (instance) => this.came(instance), gone: (instance) => this.gone(instance) });
  }

  *partitions(): Generator<WatchedPartition> {
    for (const { partitions } of this.watched.values()) yield* partitions.values();
  }

  /** The partition as the instance that was the last to speak of it serves it; undefined: no instance does. */
  partition(partition: number): WatchedPartition | undefined {
    let newest: WatchedPartition | undefined;
    for (const { partitions } of this.watched.values()) newest = partitions.get(partition) ?? newest;
    return newest;
  }

  /** What the clock of the instance says beyond that of this process, in microseconds. */
  aheadUs(instance: CommandInstance): number {
    return this.watched.get(instance)?.aheadUs ?? 0;
  }

  close(): void {
    this.endWatch();
    for (const instance of [...this.watched.keys()]) this.gone(instance);
  }

  private came(instance: CommandInstance): void {
    const watched: WatchedInstance = { instance, partitions: new Map(), aheadUs: 0, pauseMs: FIRST_PAUSE_MS, isFirst: true, cancel: () => undefined };
    this.watched.set(instance, watched);
    this.open(watched);
  }

  private gone(instance: CommandInstance): void {
    const watched = this.watched.get(instance);
    this.watched.delete(instance);
    watched?.cancel();
    this.options.changed();
  }

  private open(watched: WatchedInstance): void {
    const { instance } = watched;
    watched.isFirst = true;
    const stream = instance.calls.serverStream(
      logpb.TimerServiceService.watchDue,
      {},
      {
        message: (response) => {
          if (this.watched.get(instance) === watched) this.learn(watched, response);
        },
        ended: (error) => this.ended(watched, error),
      },
    );
    watched.cancel = () => stream.cancel();
  }

  private learn(watched: WatchedInstance, { partitions, nowUs }: logpb.WatchDueResponse): void {
    watched.aheadUs = Number(nowUs) - this.options.clock.nowUs();
    watched.pauseMs = FIRST_PAUSE_MS;
    if (watched.isFirst) forgetOthers(watched.partitions, partitions);
    watched.isFirst = false;
    for (const { partition, served, earliestDueUs, pending } of partitions) {
      if (!served) {
        watched.partitions.delete(partition);
        continue;
      }
      const known = watched.partitions.get(partition) ?? { instance: watched.instance, partition, earliestDueUs: undefined, pending: 0, told: 0 };
      known.earliestDueUs = earliestDueUs === 0n ? undefined : Number(earliestDueUs);
      known.pending = Number(pending);
      known.told += 1;
      watched.partitions.set(partition, known);
    }
    this.options.changed();
  }

  private ended(watched: WatchedInstance, error: Error | undefined): void {
    const { clock, logger } = this.options;
    const { instance, pauseMs } = watched;
    if (this.watched.get(instance) !== watched) return;
    logger.debug({ error, instance: instance.id }, 'the stream of due times ended; it is opened again');
    watched.pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    watched.cancel = clock.after(pauseMs, () => this.open(watched));
  }
}

function forgetOthers(known: Map<number, WatchedPartition>, named: readonly logpb.DueState[]): void {
  const served = new Set(named.map(({ partition }) => partition));
  for (const partition of [...known.keys()]) if (!served.has(partition)) known.delete(partition);
}
