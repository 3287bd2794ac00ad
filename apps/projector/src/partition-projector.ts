/**
 * Projects one partition: commits in sequence, each flush one batch of writes, then the checkpoint.
 *
 *   opening ──► projecting ──(error)──► waiting (back-off) ──► opening …
 *      ▲             │
 *      └─────────────┘  another copy of the read store is in force, or a rebuild switches to one: opening waits until it has
 *
 * A commit that cannot be read blocks it: it projects what comes before, tells, and looks again every 15 s.
 *
 * The projections whose rows are as new as any are live: they are written together. Those that are behind are filled beside them
 * (projection-fill.ts), the ones that stand at the same sequence together, and join the live ones when they have caught up.
 *
 * Whatever goes wrong, it forgets what it has in memory and starts again from the checkpoint: the store's guard and the
 * sequences in the rows make a repeated write harmless. Rows that are not of this log are reported; it goes on waiting until
 * a rebuild has put another copy in force.
 */
import { type Bus, type BusSubscription, type Clock, CopyClosedError, type EventLog, type ReadCopy, type ReadStore } from '@sluice/ports';
import { PartitionFold, type Projection } from '@sluice/projections';
import { type DecodedCommit, type LogPosition, MAXIMUM_TRACEPARENTS } from '@sluice/protocol';
import { AttemptNames } from './attempt-names';
import { CommitIntake } from './commit-intake';
import type { FlushPacer } from './flush-pacer';
import { ProjectionFill } from './projection-fill';
import type { FlushReport, ProjectorObserver } from './projector-observer';
import { loadRows, setAsideOfPartition } from './row-loading';
import { assertStoreOfLog, type ProjectionPosition, positionsOfRows, RowsNotOfLogError } from './rows-position';
import { type BlockedPartition, UnreadableCommitError, unreadableCommitOf } from './unreadable-commit';
import { Wakeup } from './wakeup';

const FIRST_BACK_OFF_MS = 100;
/** A partition is projected so soon after log and read store can be reached again. */
const MAXIMUM_BACK_OFF_MS = 500;
/** How often it looks whether a rebuild is over. */
const STALE_POLL_MS = 250;
/** How often it looks whether a switch to another copy is over. */
const SWITCH_POLL_MS = 50;
/** How often it looks whether a commit that could not be read was repaired. */
export const BLOCKED_RETRY_MS = 15_000;
/** Between attempts to subscribe to a bus that cannot be reached; the log is polled meanwhile. */
const RESUBSCRIBE_MS = 2_000;

export interface PartitionProjectorOptions {
  readonly partition: number;
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly pacer: FlushPacer;
  readonly projections: readonly Projection[];
  /** Aggregates kept in memory. */
  readonly cachedAggregates: number;
  readonly observer: Pick<ProjectorObserver, 'setAside' | 'busCommitDiscarded' | 'blocked' | 'unblocked' | 'trouble'>;
  /** Whether the copy in force is closed because a rebuild switches to another one. */
  readonly switchUnderWay: () => Promise<boolean>;
  /** Of each flush, with what was in it. */
  readonly flushed: (report: FlushReport, commits: readonly DecodedCommit[]) => void;
  /** The rows are not of this log: somebody has to rebuild. */
  readonly stale: (error: RowsNotOfLogError) => void;
}

export interface PartitionProgress {
  /** Sequence up to which the live projections have it; undefined: not opened yet. */
  readonly checkpoint: number | undefined;
  /** When the newest flush was done, and how old its newest commit was then. */
  readonly flushedAtUs: number;
  readonly lagUs: number;
  /** Commit time of the oldest commit that waits; Infinity: none. */
  readonly oldestWaitingUs: number;
  /** The commit that cannot be read and that the partition stands still before. */
  readonly blocked: BlockedPartition | undefined;
}

/** What stands while one copy is projected into without trouble. */
interface Session {
  readonly copy: ReadCopy;
  readonly fold: PartitionFold;
  readonly intake: CommitIntake;
  readonly end: AbortController;
}

export class PartitionProjector {
  private readonly stopping = new AbortController();
  private session: Session | undefined;
  private fill: ProjectionFill | undefined;
  private checkpoint: number | undefined;
  private flushedAtUs = 0;
  private lagUs = 0;
  private running: Promise<unknown> = Promise.resolve();
  /** Found in the middle of what a flush was to take: the commits before it are projected first. */
  private unreadable: UnreadableCommitError | undefined;
  private blocked: BlockedPartition | undefined;
  private readonly names: AttemptNames;
  private readonly opened = new Wakeup();

  constructor(private readonly options: PartitionProjectorOptions) {
    this.names = new AttemptNames(options.partition, options.clock.nowUs());
  }

  get partition(): number {
    return this.options.partition;
  }

  get progress(): PartitionProgress {
    const { checkpoint, flushedAtUs, lagUs, blocked } = this;
    return { checkpoint, flushedAtUs, lagUs, blocked, oldestWaitingUs: this.session?.intake.oldestUs ?? Number.POSITIVE_INFINITY };
  }

  start(): void {
    this.running = Promise.all([this.run(), this.listen()]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.session?.end.abort();
    this.opened.wake();
    this.options.pacer.hurry();
    await this.running;
    await this.fill?.stop();
    this.unblock();
  }

  /** The log's head, from polling it. Returns whether the log is read because the bus did not bring what is there. */
  headIs(sequence: number): boolean {
    // The log was cut before the commit that could not be read.
    if (this.blocked !== undefined && sequence < this.blocked.sequence) this.unblock();
    return this.session?.intake.headIs(sequence, this.options.bus.connected) ?? false;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopped) {
      try {
        this.session = await this.open();
        while (await this.projectNext(this.session)) failures = 0;
      } catch (error) {
        if (this.stopped) return;
        const unreadable = unreadableCommitOf(error);
        if (unreadable !== undefined) {
          this.blocked = unreadable.blocked;
          this.options.observer.blocked(this.blocked);
          await this.sleep(BLOCKED_RETRY_MS);
        } else if (error instanceof RowsNotOfLogError) {
          this.options.stale(error);
          await this.sleep(STALE_POLL_MS);
        } else if (!(error instanceof CopyClosedError)) {
          failures += 1;
          this.options.observer.trouble(this.partition, 'projecting failed; starting again from the checkpoint', error);
          await this.sleep(Math.min(MAXIMUM_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (failures - 1)));
        }
      } finally {
        this.session?.end.abort();
        this.session = undefined;
      }
    }
  }

  private async open(): Promise<Session> {
    const { partition, log, store, projections, observer, cachedAggregates } = this.options;
    while (!this.stopped && (await this.options.switchUnderWay())) await this.sleep(SWITCH_POLL_MS);
    const copy = await store.current();
    await assertStoreOfLog(store, log);
    // It goes on while the live projection waits after an error; now it may have joined.
    await this.fill?.stop();
    const positions = await positionsOfRows(copy, log, partition, projections);
    const { position, live, behind } = standingOf(positions);
    const setAside = await setAsideOfPartition(copy, partition, live);
    this.checkpoint = position.sequence;
    this.fill = behind.length === 0 ? undefined : this.startFill(copy, behind);
    this.opened.wake();
    const end = new AbortController();
    if (this.stopped) end.abort();
    const fold = new PartitionFold(partition, live, setAside, cachedAggregates);
    const intake = new CommitIntake(log, position, end.signal, (error) => observer.busCommitDiscarded(partition, error));
    return { copy, fold, intake, end };
  }

  private startFill(copy: ReadCopy, projections: readonly Projection[]): ProjectionFill {
    const { partition, log, clock, cachedAggregates, observer } = this.options;
    const fill = new ProjectionFill({
      partition,
      log,
      clock,
      copy,
      projections,
      cachedAggregates,
      goal: () => this.checkpoint ?? 0,
      trouble: (what, error) => observer.trouble(partition, what, error),
    });
    fill.start();
    return fill;
  }

  /** Waits for commits and writes what has come by its turn; false: the session is over. */
  private async projectNext(session: Session): Promise<boolean> {
    const { intake } = session;
    const { fill } = this;
    const commits = intake.waitForCommits();
    if (fill === undefined) await commits;
    else {
      // The one that is not waited for any more may still fail.
      commits.catch(() => undefined);
      await Promise.race([commits, fill.near]);
    }
    if (this.stopped) return false;
    if (fill?.isNear === true) {
      // The next session finds its projections among the live ones.
      await fill.finish(this.checkpoint ?? 0);
      return false;
    }
    const paced = { oldestUs: () => intake.oldestUs, urgent: () => intake.crowded || this.stopped };
    return this.options.pacer.run(paced, () => (this.stopped ? Promise.resolve(false) : this.flush(session)));
  }

  private async flush({ copy, fold, intake }: Session): Promise<boolean> {
    const { clock, store, observer, partition } = this.options;
    if ((await store.current()).name !== copy.name) return false;
    const startUs = clock.nowUs();
    const { commits: taken, publishTraceparent } = intake.take();
    const commits = this.readable(taken);
    for (const commit of commits) {
      try {
        fold.take(commit);
      } catch (error) {
        const unreadable = unreadableCommitOf(error) ?? new UnreadableCommitError(partition, commit.sequence, error);
        if (commit === commits[0]) throw unreadable;
        // The fold has a part of it: it is thrown away, and the next session takes what comes before.
        this.unreadable = unreadable;
        return false;
      }
    }
    const loaded = await loadRows(copy, fold);
    // A store that answers at once never lets others have the thread: what they ask comes between the steps of a flush.
    await nextRound();
    const { batch, setAside, postings, busiest } = fold.project(loaded, this.names.next());
    await nextRound();
    const writeStartUs = clock.nowUs();
    await copy.apply(batch);
    const endUs = clock.nowUs();
    this.checkpoint = batch.sequence;
    this.flushedAtUs = endUs;
    this.lagUs = endUs - batch.committedAtUs;
    for (const aside of setAside) observer.setAside(aside);
    const report: FlushReport = {
      partition,
      commitCount: commits.length,
      lastSequence: batch.sequence,
      oldestUs: commits[0]?.committedAtUs ?? batch.committedAtUs,
      newestUs: batch.committedAtUs,
      publishTraceparent,
      traceparents: commits.flatMap((commit) => commit.traceparents).slice(0, MAXIMUM_TRACEPARENTS),
      postings,
      busiest,
      writes: batch.writes.length,
      startUs,
      writeStartUs,
      endUs,
    };
    this.options.flushed(report, commits);
    if (this.blocked !== undefined && batch.sequence >= this.blocked.sequence) this.unblock();
    // What was taken and not projected comes again in the next session.
    return commits.length === taken.length;
  }

  /** The commits before the one that could not be read the last time; throws where it is the first of them. */
  private readable(commits: readonly DecodedCommit[]): readonly DecodedCommit[] {
    const { unreadable } = this;
    if (unreadable === undefined) return commits;
    const before = commits.filter(({ sequence }) => sequence < unreadable.sequence);
    if (before.length === commits.length) return commits;
    this.unreadable = undefined;
    if (before.length === 0) throw unreadable;
    return before;
  }

  private unblock(): void {
    if (this.blocked === undefined) return;
    this.blocked = undefined;
    this.options.observer.unblocked(this.partition);
  }

  /** Keeps a subscription to the bus, where it can be had. */
  private async listen(): Promise<void> {
    let subscription: BusSubscription | undefined;
    while (!this.stopped && this.checkpoint === undefined) await this.opened.wait();
    while (!this.stopped && subscription === undefined) {
      try {
        subscription = await this.options.bus.subscribe(this.partition, (this.checkpoint ?? 0) + 1, async (message) => {
          const intake = this.session?.intake;
          if (intake === undefined) return;
          await intake.offer(message);
          if (intake.crowded) this.options.pacer.hurry();
        });
      } catch (error) {
        this.options.observer.trouble(this.partition, 'the bus cannot be subscribed to; reading the log instead', error);
        await this.sleep(RESUBSCRIBE_MS);
      }
    }
    if (!this.stopped) await new Promise((resolve) => this.stopping.signal.addEventListener('abort', resolve, { once: true }));
    await subscription?.stop();
  }

  private sleep(milliseconds: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.stopping.signal.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = this.options.clock.after(milliseconds, finish);
      this.stopping.signal.addEventListener('abort', finish);
    });
  }
}

interface Standing {
  /** Where the live projections go on. */
  readonly position: LogPosition;
  readonly live: readonly Projection[];
  /** To be filled next: those that lack most, all at one sequence. */
  readonly behind: readonly Projection[];
}

function standingOf(positions: readonly ProjectionPosition[]): Standing {
  const sequences = positions.map(({ position }) => position.sequence);
  const [newest, oldest] = [Math.max(...sequences), Math.min(...sequences)];
  const at = (sequence: number): ProjectionPosition[] => positions.filter(({ position }) => position.sequence === sequence);
  const [first] = at(newest);
  if (first === undefined) throw new Error('there is no projection');
  const projectionsOf = (standing: readonly ProjectionPosition[]): Projection[] => standing.map(({ projection }) => projection);
  return { position: first.position, live: projectionsOf(at(newest)), behind: oldest === newest ? [] : projectionsOf(at(oldest)) };
}

function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
