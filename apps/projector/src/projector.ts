/**
 * The projector of a process: one `PartitionProjector` per partition that it holds, what they share (pacing, the polled head
 * of the log, figures), rebuild and verification.
 */
import {
  type Bus,
  type Checkpoint,
  type Clock,
  CopyAbandonedError,
  CopyClosedError,
  type EventLog,
  type Lease,
  type ReadCopy,
  type ReadStore,
  SwitchEndedError,
  systemClock,
} from '@sluice/ports';
import type { CalendarDate } from '@sluice/domain/day';
import { type AggregateName, type Projection, PROJECTIONS, projectionId, SET_ASIDE, type SetAside, setAsideOf } from '@sluice/projections';
import type { DecodedCommit } from '@sluice/protocol';
import { BusiestAccount } from './busiest-account';
import { FlushPacer } from './flush-pacer';
import { LagWindow } from './lag-window';
import { PartitionLeases } from '@sluice/leases';
import { BLOCKED_RETRY_MS, PartitionProjector } from './partition-projector';
import {
  type AggregateReport,
  type PartitionStanding,
  type ProjectorControl,
  type ProjectorStatus,
  RebuildRunningError,
  type RebuildProgress,
  type Report,
  UnknownAggregateError,
  type VerificationProgress,
} from './projector-control';
import { type FlushReport, type ProjectorObserver, SILENT_PROJECTOR_OBSERVER } from './projector-observer';
import { rebuild } from './rebuild';
import { type RebuildLease, takeRebuildLease } from './rebuild-lease';
import { RowsNotOfLogError, assertStoreOfLog } from './rows-position';
import { SwitchWatch } from './switch-watch';
import { unreadableCommitOf } from './unreadable-commit';
import { verifyAggregate } from './verification/verify-aggregate';
import { type DayVerdict, verifyDay } from './verification/verify-day';
import { verifyAll } from './verification/verify-all';

/** Promised are 500 ms; a poll is one cheap read. */
const HEAD_POLL_MS = 250;
/** While commits come by the polls alone, because the bus is away: what a poll finds is as old as the poll before. */
const SILENT_BUS_POLL_MS = 50;
const DEFAULT_CACHED_AGGREGATES = 131_072;
const REBUILD_RETRY_MS = 1_000;
/** Aggregates that are listed as set aside, at most. */
const LISTED_SET_ASIDE = 1_000;

export interface ProjectorOptions {
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly bus: Bus;
  /** Undefined: this is the only projector, it holds every partition. */
  readonly lease?: Lease;
  readonly clock?: Clock;
  readonly observer?: ProjectorObserver;
  /** Those of all capabilities, if not given. */
  readonly projections?: readonly Projection[];
  /** Aggregates kept in memory, over all partitions. */
  readonly cachedAggregates?: number;
  /** Partitions take turns at writing (a store that has one writer), or each paces itself. */
  readonly writing?: 'in turn' | 'at once';
}

export class Projector implements ProjectorControl {
  private readonly clock: Clock;
  private readonly observer: ProjectorObserver;
  private readonly partitions = new Map<number, PartitionProjector>();
  private readonly sharedPacer: FlushPacer;
  private readonly lag: LagWindow;
  private readonly busiest: BusiestAccount;
  private readonly switches: SwitchWatch;
  private readonly stopping = new AbortController();
  private leases: PartitionLeases | undefined;
  private heads: number[];
  private projectedPostings = 0;
  private rebuilding: Promise<void> | undefined;
  /** The partition whose commit a rebuild could not read. */
  private rebuildBlocked: number | undefined;
  private cancelPoll = (): void => undefined;
  private cancelRebuildRetry = (): void => undefined;
  private polling: Promise<void> = Promise.resolve();

  private constructor(private readonly options: ProjectorOptions) {
    this.clock = options.clock ?? systemClock;
    this.observer = options.observer ?? SILENT_PROJECTOR_OBSERVER;
    this.sharedPacer = new FlushPacer(this.clock);
    this.lag = new LagWindow(this.clock);
    this.busiest = new BusiestAccount(this.clock);
    this.switches = new SwitchWatch(options.store, this.clock, ({ copy }) =>
      this.observer.trouble(-1, 'a rebuild died while it switched copies; the copy in force is written again', new SwitchEndedError(copy)),
    );
    this.heads = Array.from({ length: options.log.identity.partitions }, () => 0);
  }

  static async start(options: ProjectorOptions): Promise<Projector> {
    const projector = new Projector(options);
    await projector.begin();
    return projector;
  }

  private async begin(): Promise<void> {
    const { log, store, lease } = this.options;
    await store.current();
    await this.rebuildIfStale();
    // Of a new log the copy is made at once: callers are not shown the rows of a log that is lost.
    if (this.rebuilding !== undefined && (await log.headSequences()).every((head) => head === 0)) await this.rebuilding.catch(() => undefined);
    this.poll();
    if (lease === undefined) {
      for (let partition = 0; partition < log.identity.partitions; partition += 1) this.hold(partition);
      return;
    }
    this.leases = new PartitionLeases({
      kind: 'projector',
      lease,
      partitions: log.identity.partitions,
      clock: this.clock,
      granted: (partition) => this.hold(partition),
      lost: (partition) => this.drop(partition),
      trouble: (error) => this.observer.trouble(-1, 'the lease service cannot be reached; going on with the partitions held', error),
    });
    await this.leases.start();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.cancelPoll();
    this.cancelRebuildRetry();
    await this.leases?.stop();
    await Promise.all([...this.partitions.keys()].map((partition) => this.drop(partition)));
    await Promise.all([this.polling, this.rebuilding?.catch(() => undefined)]);
  }

  async status(): Promise<ProjectorStatus> {
    const { log, store } = this.options;
    const copy = await store.current();
    this.heads = await log.headSequences();
    const checkpoints = await copy.checkpoints();
    return {
      partitions: this.heads.map((headSequence, partition) => this.standing(partition, this.checkpointsOf(partition, checkpoints), headSequence)),
      copy: copy.name,
      setAside: await this.setAsideIn(copy),
      projectedPostings: this.projectedPostings,
      incarnation: log.identity.incarnation,
      hottestAccount: this.busiest.hottest(),
      lag: this.lag.percentiles(),
    };
  }

  async rebuild(report: Report<RebuildProgress>): Promise<void> {
    if (this.rebuilding !== undefined) throw new RebuildRunningError();
    const running = this.runRebuild(report);
    this.rebuilding = running;
    try {
      await running;
    } finally {
      this.rebuilding = undefined;
    }
  }

  async verifyAll(report: Report<VerificationProgress>, signal: AbortSignal): Promise<void> {
    const { log, store } = this.options;
    await verifyAll({ log, store, projections: this.projections, clock: this.clock, report, signal: AbortSignal.any([signal, this.stopping.signal]) });
  }

  async verifyAggregate(projection: string, name: AggregateName, signal: AbortSignal): Promise<AggregateReport> {
    const { log, store } = this.options;
    const found = this.projections.find((one) => one.name === projection);
    if (found === undefined) throw new UnknownAggregateError(name.aggregate, name.key);
    const sources = { log, store, projections: this.projections, clock: this.clock, signal: AbortSignal.any([signal, this.stopping.signal]) };
    return verifyAggregate(sources, found, name);
  }

  async verifyDay(branchId: string, date: CalendarDate, signal: AbortSignal): Promise<DayVerdict> {
    return verifyDay({ log: this.options.log, signal: AbortSignal.any([signal, this.stopping.signal]) }, branchId, date);
  }

  private hold(partition: number): void {
    const { log, store, bus, cachedAggregates = DEFAULT_CACHED_AGGREGATES, writing = 'in turn' } = this.options;
    const projector = new PartitionProjector({
      partition,
      log,
      store,
      bus,
      clock: this.clock,
      pacer: writing === 'in turn' ? this.sharedPacer : new FlushPacer(this.clock),
      projections: this.projections,
      cachedAggregates: Math.ceil(cachedAggregates / log.identity.partitions),
      observer: this.observer,
      switchUnderWay: () => this.switches.underWay(),
      flushed: (report, commits) => this.flushed(report, commits),
      stale: (error) => this.rebuildStale(error),
    });
    this.partitions.set(partition, projector);
    projector.start();
  }

  private get projections(): readonly Projection[] {
    return this.options.projections ?? PROJECTIONS;
  }

  private async drop(partition: number): Promise<void> {
    const projector = this.partitions.get(partition);
    this.partitions.delete(partition);
    await projector?.stop();
  }

  private flushed(report: FlushReport, commits: readonly DecodedCommit[]): void {
    this.projectedPostings += report.postings;
    if (report.busiest !== undefined) this.busiest.count(report.busiest.key, report.busiest.postings);
    for (const { committedAtUs } of commits) this.lag.add(report.endUs - committedAtUs);
    this.observer.flushed(report);
  }

  /** Checkpoints of the partition, by the id of the projection; 0: it has none. */
  private checkpointsOf(partition: number, checkpoints: readonly Checkpoint[]): ReadonlyMap<string, number> {
    const ofPartition = new Map(checkpoints.filter((one) => one.partition === partition).map(({ projection, sequence }) => [projection, sequence] as const));
    return new Map(this.projections.map((projection) => [projectionId(projection), ofPartition.get(projectionId(projection)) ?? 0]));
  }

  private async setAsideIn(copy: ReadCopy): Promise<SetAside[]> {
    const listed: SetAside[] = [];
    for (const projection of this.projections.map(projectionId)) {
      const limit = LISTED_SET_ASIDE - listed.length;
      if (limit === 0) break;
      const query = { collection: SET_ASIDE.name, index: 'by_partition', equals: { projection }, limit };
      listed.push(...(await copy.find(query)).rows.map(setAsideOf));
    }
    return listed;
  }

  private standing(partition: number, stored: ReadonlyMap<string, number>, headSequence: number): PartitionStanding {
    const progress = this.partitions.get(partition)?.progress;
    const live = Math.max(...stored.values());
    const checkpoint = Math.max(live, progress?.checkpoint ?? 0);
    const filling = [...stored].filter(([, sequence]) => sequence < live).map(([projection, sequence]) => ({ projection, sequence }));
    const nowUs = this.clock.nowUs();
    const waitingUs = progress === undefined ? 0 : Math.max(0, nowUs - progress.oldestWaitingUs);
    const lagUs = checkpoint >= headSequence ? 0 : Math.max(progress?.lagUs ?? 0, waitingUs);
    return { partition, checkpoint, headSequence, lagUs, heldHere: progress !== undefined, blocked: progress?.blocked, filling };
  }

  private poll(): void {
    this.polling = this.pollHeads();
  }

  private async pollHeads(): Promise<void> {
    let byPolls = false;
    try {
      this.heads = await this.options.log.headSequences();
      for (const projector of this.partitions.values()) if (projector.headIs(this.heads[projector.partition] ?? 0)) byPolls = true;
    } catch (error) {
      this.observer.trouble(-1, "the log's heads cannot be read", error);
    }
    if (!this.stopping.signal.aborted) this.cancelPoll = this.clock.after(byPolls ? SILENT_BUS_POLL_MS : HEAD_POLL_MS, () => this.poll());
  }

  private async rebuildIfStale(): Promise<void> {
    try {
      await assertStoreOfLog(this.options.store, this.options.log);
    } catch (error) {
      if (!(error instanceof RowsNotOfLogError)) throw error;
      this.rebuildStale(error);
    }
  }

  /** Rebuilds because the rows are not of this log; tries again until it has worked, here or elsewhere. */
  private rebuildStale(error: RowsNotOfLogError): void {
    if (this.rebuilding !== undefined || this.stopping.signal.aborted) return;
    this.observer.trouble(-1, 'rebuilding the read store', error);
    const rebuilt = this.rebuild(() => undefined).then(() => {
      if (this.rebuildBlocked !== undefined) this.observer.unblocked(this.rebuildBlocked);
      this.rebuildBlocked = undefined;
    });
    rebuilt.catch((failure: unknown) => {
      if (this.stopping.signal.aborted) return;
      const unreadable = unreadableCommitOf(failure);
      if (unreadable !== undefined) {
        this.rebuildBlocked = unreadable.partition;
        this.observer.blocked(unreadable.blocked);
      } else if (!(failure instanceof RebuildRunningError)) this.observer.trouble(-1, 'the rebuild failed; trying again', failure);
      this.cancelRebuildRetry = this.clock.after(unreadable === undefined ? REBUILD_RETRY_MS : BLOCKED_RETRY_MS, () => {
        this.rebuildIfStale().catch((error: unknown) => this.observer.trouble(-1, 'the read store cannot be reached', error));
      });
    });
  }

  private async runRebuild(report: Report<RebuildProgress>): Promise<void> {
    const { log, store } = this.options;
    const lease = await this.rebuildLease();
    try {
      await rebuild({ log, store, projections: this.projections, clock: this.clock, report, signal: AbortSignal.any([this.stopping.signal, lease.lost]) });
    } catch (error) {
      // Another process has taken the lease, or has begun a rebuild without knowing of this one.
      if (lease.lost.aborted || error instanceof CopyAbandonedError || error instanceof CopyClosedError) throw new RebuildRunningError({ cause: error });
      throw error;
    } finally {
      await lease.release();
    }
  }

  /** Only one rebuild at a time, over all processes. */
  private async rebuildLease(): Promise<RebuildLease> {
    const { lease } = this.options;
    if (lease === undefined) return { lost: new AbortController().signal, release: async () => undefined };
    const taken = await takeRebuildLease(lease);
    if (taken === undefined) throw new RebuildRunningError();
    return taken;
  }
}
