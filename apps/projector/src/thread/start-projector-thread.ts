/**
 * Starts the projector in a thread of its own (embedded mode): projecting never takes time from answering. A thread that
 * ends although nobody stopped it is started again, and catches up from the log; posting goes on meanwhile, reads fall behind.
 *
 *   projecting ── thread died ──► pausing ── 100 ms, doubling to 5 s ──► starting ──► projecting
 *       │                            ▲                                      └── failure ──► pausing
 *       └── stop() ──► stopped       │ (what is asked for meanwhile is refused: ProjectorDownError)
 *
 * A run that lasted for a while makes the pauses short again: a fault that comes back at once does not keep the machine busy.
 */
import type { MessagePort } from 'node:worker_threads';
import { type Clock, type EventLog, systemClock } from '@sluice/ports';
import type { CalendarDate } from '@sluice/domain/day';
import type { AggregateName } from '@sluice/projections';
import {
  type AggregateReport,
  type ProjectorControl,
  ProjectorDownError,
  type ProjectorStatus,
  type RebuildProgress,
  type Report,
  type VerificationProgress,
} from '../projector-control';
import { BlockedPartitions } from '../blocked-partitions';
import { type ProjectorObserver, SILENT_PROJECTOR_OBSERVER } from '../projector-observer';
import { type ProjectorRuntime, serveProjector } from '../start-projector';
import type { DayVerdict } from '../verification/verify-day';
import { type ProjectorThread, runProjectorThread } from './projector-thread';

export interface ProjectorThreadOptions {
  /** The event log's SQLite file; the thread opens it for reading. */
  readonly logFile: string;
  /** The read store's SQLite file; made where there is none. */
  readonly readFile: string;
  /** Makes a reading end of the bus, in place of the one before; called for every start of the thread. */
  readonly readBus: () => MessagePort;
  /** The log as this thread has it, for LogService. */
  readonly log: EventLog;
  readonly clock?: Clock;
  readonly observer?: ProjectorObserver;
  /** Aggregates kept in memory. */
  readonly cachedAggregates?: number;
  /** The thread ended although nobody stopped it, or could not be started again: it is tried again. */
  readonly crashed?: (error: Error) => void;
}

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;
/** A run that lasted so long counts as sound. */
const SOUND_RUN_US = 30_000_000;

/** Resolves when the thread projects; rejects when it cannot the first time. */
export async function startProjectorThread(options: ProjectorThreadOptions): Promise<ProjectorRuntime> {
  const blocked = new BlockedPartitions();
  const observer = blocked.over(options.observer ?? SILENT_PROJECTOR_OBSERVER);
  const crashed = (error: Error): void => {
    blocked.clear();
    options.crashed?.(error);
  };
  const keeper = new ProjectorThreadKeeper({ ...options, observer, crashed });
  await keeper.start();
  return serveProjector(keeper, options.log, blocked.readiness, options.clock);
}

class ProjectorThreadKeeper implements ProjectorControl {
  private readonly clock: Clock;
  private thread: ProjectorThread | undefined;
  private startedAtUs = 0;
  private pauseMs = FIRST_PAUSE_MS;
  private endPause = (): void => undefined;
  /** Starting again; never rejects. */
  private starting: Promise<void> = Promise.resolve();
  private lastError: Error | undefined;
  private stopped = false;

  constructor(private readonly options: ProjectorThreadOptions) {
    this.clock = options.clock ?? systemClock;
  }

  async start(): Promise<void> {
    const { logFile, readFile, readBus, cachedAggregates, observer = SILENT_PROJECTOR_OBSERVER } = this.options;
    this.thread = await runProjectorThread({ logFile, readFile, busPort: readBus(), cachedAggregates }, observer, (error) => this.died(error));
    this.startedAtUs = this.clock.nowUs();
  }

  async status(): Promise<ProjectorStatus> {
    return this.running().status();
  }

  async rebuild(report: Report<RebuildProgress>): Promise<void> {
    await this.running().rebuild(report);
  }

  async verifyAll(report: Report<VerificationProgress>, signal: AbortSignal): Promise<void> {
    await this.running().verifyAll(report, signal);
  }

  async verifyAggregate(projection: string, name: AggregateName, signal: AbortSignal): Promise<AggregateReport> {
    return this.running().verifyAggregate(projection, name, signal);
  }

  async verifyDay(branchId: string, date: CalendarDate, signal: AbortSignal): Promise<DayVerdict> {
    return this.running().verifyDay(branchId, date, signal);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.endPause();
    await this.starting;
    await this.thread?.stop();
  }

  private running(): ProjectorControl {
    if (this.thread === undefined) throw new ProjectorDownError(this.lastError);
    return this.thread.link;
  }

  private died(error: Error): void {
    if (this.clock.nowUs() - this.startedAtUs >= SOUND_RUN_US) this.pauseMs = FIRST_PAUSE_MS;
    this.thread = undefined;
    this.tell(error);
    this.starting = this.startAgain();
  }

  private async startAgain(): Promise<void> {
    for (;;) {
      await this.pause();
      if (this.stopped) return;
      try {
        await this.start();
        return;
      } catch (error) {
        this.tell(error as Error);
      }
    }
  }

  private async pause(): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(this.pauseMs, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
    this.pauseMs = Math.min(this.pauseMs * 2, LAST_PAUSE_MS);
  }

  private tell(error: Error): void {
    this.lastError = error;
    this.options.crashed?.(error);
  }
}
