/**
 * What workers ask of the queues of this instance: something to do, and what became of it. It wakes who waits, and does what is due.
 *
 *   awaitTasks ──touched──▶ ready        take ──turn──▶ started, durable ──▶ tasks with payloads
 *       └──offer, in the turn that made a task startable──▶ started, durable ──▶ tasks with payloads
 *   report ──turn──▶ verdicts            stops: attempts that others ended
 */
import {
  decideCompletion,
  decideFailure,
  decideOverdue,
  decideReturn,
  decideTimeOver,
  decideStart,
  type Ending,
  leasedSlot,
  type LeaseName,
  leaseNameOf,
  leaseTokenOf,
  type ReportDecision,
  ranTooLong,
  RUNNING,
  taskIdOf,
  taskNameOf,
  type TaskPolicy,
} from '@sluice/domain/task';
import { keyedHash, QueueFullError, type Engine, type Partition, type Submission, type Turn } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { taskpb } from '@sluice/protocol/task';
import { nextRound, refusal } from '@sluice/service';
import { MAXIMUM_TAKE, PROGRESS_EVERY_US, TICK_BYTES } from './limits';
import { LIMIT_TO_PROTO } from './proto-names';
import type { EndingDetail, StartingWorker } from './event-gatherer';
import type { QueueEntry } from './queue-entry';
import type { Cut, QueueListener, QueuesState } from './queues-state';
import { StopListeners } from './stop-listeners';
import { type Started, StartedTasks } from './started-tasks';
import { isResult, keptMessage } from './task-shape';
import { type WaitingWorker, WaitingWorkers } from './waiting-workers';

/** Without anything due, partitions that came to this instance are looked at so often. */
const LOOK_MS = 100;
/** An alarm that rings later than this shows that the process stood still. */
const STOOD_STILL_US = 5_000;
/** Queues in which something is due that one turn looks at. */
const QUEUES_PER_TICK = 100;
/** A second request for the same tasks gets the first answer for so long. */
const TAKEN_MS = 30_000;
/** Types that one take looks at: each start looks at all that the worker takes. */
const LANES_PER_TAKE = 200_000;
const START_BYTES = 256;
const REPORT_BYTES = 512;

export interface Take extends StartingWorker {
  readonly queues: readonly string[];
  /** Undefined: all. */
  readonly types: readonly string[] | undefined;
  readonly maximumTasks: number;
}

/** What a worker that waits lets a turn start for it. */
export interface Offer extends StartingWorker {
  /** Reserves room for tasks, at most so many; returns how many. */
  reserve(maximum: number): number;
}

export interface Reported {
  readonly verdicts: taskpb.ReportVerdict[];
  readonly stops: taskpb.Stop[];
  readonly heard: taskpb.Lease[];
}

export class QueueWork implements QueueListener {
  private engine: Engine | undefined;
  /** By partition and queue. */
  private readonly waiters = new Map<string, WaitingWorkers>();
  /** By partition and queue: how many groups of workers that wait are still to be looked at. */
  private readonly looking = new Map<string, number>();
  readonly stops = new StopListeners();
  private readonly taken = new Map<string, Promise<StartedTasks>>();
  private follower: ((partition: number, entry: QueueEntry) => void) | undefined;
  /** Partitions whose queues the follower has been told of. */
  private readonly followed = new WeakSet<QueuesState>();
  private cancelAlarm: (() => void) | undefined;
  private alarmAtUs = Number.POSITIVE_INFINITY;
  /** The process stood still, and reads what came meanwhile. */
  private isCatchingUp = false;
  /** What came until then is read, microseconds. */
  private readUpToUs = 0;
  private stopped = false;

  constructor(private readonly clock: Clock) {}

  begin(engine: Engine): void {
    this.engine = engine;
    this.readUpToUs = this.clock.nowUs();
    this.setAlarm(this.readUpToUs + LOOK_MS * 1_000);
  }

  stop(): void {
    this.stopped = true;
    this.cancelAlarm?.();
    for (const waiters of [...this.waiters.values()]) waiters.wakeAll();
  }

  // ---- what queues tell ----

  offer(turn: Turn, state: QueuesState, entry: QueueEntry, maximum: number): number {
    const waiters = this.waiters.get(placeOf(state.services.partition, entry.queue.name));
    if (waiters === undefined || this.stopped) return 0;
    return waiters.offer(turn, maximum, (types) => state.hasTask(entry, types, turn.committedAtUs));
  }

  touched(partition: number, entry: QueueEntry): void {
    this.follower?.(partition, entry);
    const place = placeOf(partition, entry.queue.name);
    const waiters = this.waiters.get(place);
    if (waiters === undefined) return;
    const isLooking = this.looking.has(place);
    this.looking.set(place, waiters.groupCount);
    if (!isLooking) this.wakeWorkers(partition, entry.queue.name);
  }

  /** Wakes workers that would get a task of the queue; where many kinds of them wait, over several rounds of the event loop. */
  private wakeWorkers(partition: number, queue: string): void {
    const place = placeOf(partition, queue);
    const waiters = this.waiters.get(place);
    const state = this.stateOf(partition);
    const entry = state?.entries.get(queue);
    const nowUs = this.clock.nowUs();
    const groups = this.looking.get(place) ?? 0;
    const left = waiters === undefined || entry === undefined ? 0 : waiters.wake(groups, (types) => state?.hasTask(entry, types, nowUs) === true);
    if (left === 0) {
      this.looking.delete(place);
      return;
    }
    this.looking.set(place, left);
    void nextRound().then(() => this.wakeWorkers(partition, queue));
  }

  wakes(_partition: number, { wakeAtUs }: QueueEntry): void {
    this.setAlarm(wakeAtUs);
  }

  cut(partition: number, cuts: readonly Cut[]): void {
    for (const { lease, queue, ending } of cuts)
      this.stops.ended(partition, stopOf({ taskId: taskIdOf(queue, lease.number), leaseToken: leaseTokenOf(lease) }, ending));
  }

  // ---- what is due ----

  private setAlarm(atUs: number): void {
    if (this.stopped || atUs >= this.alarmAtUs) return;
    this.cancelAlarm?.();
    this.alarmAtUs = atUs;
    this.cancelAlarm = this.clock.after(Math.max(0, (atUs - this.clock.nowUs()) / 1_000), () => this.ring());
  }

  private ring(): void {
    const nowUs = this.clock.nowUs();
    // Timers run before what came meanwhile is read: a report, or a sign of life, that came in time must not be late for that.
    this.isCatchingUp = !this.isCatchingUp && nowUs - this.alarmAtUs > STOOD_STILL_US;
    if (this.isCatchingUp && !this.stopped) {
      this.alarmAtUs = nowUs;
      this.cancelAlarm = this.clock.after(0, () => this.ring());
      return;
    }
    this.readUpToUs = nowUs;
    this.alarmAtUs = Number.POSITIVE_INFINITY;
    this.cancelAlarm = undefined;
    if (this.stopped || this.engine === undefined) return;
    let nextUs = nowUs + LOOK_MS * 1_000;
    for (const number of this.engine.owned) {
      const partition = this.engine.partition(number);
      const state = this.stateOf(number);
      if (partition === undefined || state === undefined) continue;
      this.follow(number, state);
      const due = state.dueEntries(nowUs);
      nextUs = Math.min(nextUs, state.nextWakeUs);
      for (let at = 0; at < due.length; at += QUEUES_PER_TICK) this.tick(partition, state, due.slice(at, at + QUEUES_PER_TICK));
    }
    this.setAlarm(nextUs);
  }

  private tick(partition: Partition, state: QueuesState, due: readonly QueueEntry[]): void {
    const submission = new QueueTurn(
      (turn) => {
        state.begin(turn);
        for (const entry of due) if (state.tick(turn, entry)) this.setAlarm(0);
      },
      () => undefined,
      () => state.lookAgain(),
      { commands: due.length, bytes: REPORT_BYTES * due.length, recordBytes: 2 * TICK_BYTES, background: true },
    );
    try {
      partition.submit(submission);
    } catch {
      // The queue of the partition is full: it is tried again at the next look.
      state.lookAgain();
    }
  }

  // ---- handlers in this process ----

  /** Tells of every queue in which a task may be startable from then on: those that change, and all of a partition that comes here. */
  followQueues(follower: (partition: number, entry: QueueEntry) => void): void {
    this.follower = follower;
  }

  private follow(partition: number, state: QueuesState): void {
    if (this.follower === undefined || this.followed.has(state)) return;
    this.followed.add(state);
    for (const entry of state.entries.values()) this.follower(partition, entry);
  }

  /** Whether a task of these types would be started now. */
  hasTask(partition: number, entry: QueueEntry, types: readonly string[]): boolean {
    const state = this.stateOf(partition);
    // A partition that was loaded again has other entries.
    return state?.entries.get(entry.queue.name) === entry && state.hasTask(entry, types, this.clock.nowUs());
  }

  // ---- what workers ask ----

  /**
   * Resolves with true when a queue has something for the worker, or with what was started for it meanwhile; false: the wait is over, or the partition is not here.
   *
   * @param offer lets a turn that makes a task startable start it for the worker.
   */
  async awaitTasks(partition: number, { queues, types }: Pick<Take, 'queues' | 'types'>, signal: AbortSignal, offer?: Offer): Promise<boolean | StartedTasks> {
    const state = this.stateOf(partition);
    if (state === undefined || this.stopped) return false;
    const nowUs = this.clock.nowUs();
    // A queue of which nothing is recorded is not made by waiting for it.
    const has = (entry: QueueEntry | undefined): boolean => entry !== undefined && state.hasTask(entry, types, nowUs);
    if (queues.some((queue) => has(state.entries.get(queue)))) return true;
    return new Promise((resolve) => {
      const forget = (): void => {
        signal.removeEventListener('abort', ended);
        for (const queue of queues) this.removeWaiter(placeOf(partition, queue), waiter);
      };
      const finish = (ready: boolean): void => {
        forget();
        resolve(ready);
      };
      const ended = (): void => finish(false);
      const start = (turn: Turn, maximum: number): number => {
        forget();
        return this.startOffered(turn, state, { queues, types }, offer as Offer, maximum, resolve);
      };
      const waiter: WaitingWorker = { types, wake: () => finish(!this.stopped), ...(offer === undefined ? undefined : { start }) };
      for (const queue of queues) this.addWaiter(placeOf(partition, queue), waiter);
      signal.addEventListener('abort', ended);
      if (signal.aborted) ended();
    });
  }

  /** Starts what the worker has room for in the turn; what was started is told when that is durable. */
  private startOffered(
    turn: Turn,
    state: QueuesState,
    { queues, types }: Pick<Take, 'queues' | 'types'>,
    offer: Offer,
    maximum: number,
    tell: (outcome: boolean | StartedTasks) => void,
  ): number {
    const started = startTasks(turn, state, { queues, types, ...offer }, offer.reserve(maximum));
    if (started.length === 0) tell(true);
    else {
      const settled = (): void => tell(new StartedTasks(state, started, () => this.clock.nowUs()));
      // Nothing was started, or it is not known: the worker waits again.
      turn.submissions.push(
        new QueueTurn(
          () => undefined,
          settled,
          () => tell(false),
          NO_COMMANDS,
        ),
      );
    }
    return started.length;
  }

  private addWaiter(place: string, waiter: WaitingWorker): void {
    const waiters = this.waiters.get(place) ?? new WaitingWorkers();
    this.waiters.set(place, waiters);
    waiters.add(waiter);
  }

  private removeWaiter(place: string, waiter: WaitingWorker): void {
    const waiters = this.waiters.get(place);
    waiters?.remove(waiter);
    if (waiters?.isEmpty === true) this.waiters.delete(place);
  }

  /** Starts attempts; resolves when they are durable. Rejects when the partition takes no turns: who asked asks again after a pause. */
  async start(number: number, take: Take): Promise<StartedTasks> {
    const state = this.stateOf(number);
    const partition = this.engine?.partition(number);
    if (state === undefined || partition === undefined) throw noTurns(number);
    const maximum = Math.min(take.maximumTasks, MAXIMUM_TAKE);
    let started: readonly Started[] = [];
    const bytes = START_BYTES * maximum;
    const durable = await runTurn(
      partition,
      () => take.queues,
      { commands: maximum, bytes, recordBytes: bytes },
      (turn) => {
        state.begin(turn);
        started = startTasks(turn, state, take, maximum);
      },
    );
    if (durable === 0) throw noTurns(number);
    return new StartedTasks(state, started, () => this.clock.nowUs());
  }

  /** Starts attempts for another instance. The same request gets the same tasks, which are kept without their payloads. */
  startOnce(requestId: string, partition: number, take: Take): Promise<StartedTasks> {
    const known = this.taken.get(requestId);
    if (known !== undefined) return known;
    const taking = this.start(partition, take);
    this.taken.set(requestId, taking);
    this.clock.after(TAKEN_MS, () => this.taken.delete(requestId));
    return taking;
  }

  /** Takes a worker's report; resolves when what it changes is durable. */
  async report(number: number, report: taskpb.WorkRequest): Promise<Reported> {
    const reported: Reported = { verdicts: [], stops: [], heard: [] };
    const state = this.stateOf(number);
    const partition = this.engine?.partition(number);
    const { heartbeats, completions, failings, returned } = report;
    const ends = completions.length + failings.length + returned.length;
    if (state === undefined || partition === undefined) {
      for (const lease of leasesOf(report)) reported.verdicts.push({ lease, reason: 'UNAVAILABLE' });
      return reported;
    }
    const marks = heartbeats.flatMap((heartbeat) => this.hear(state, heartbeat, reported));
    if (ends + marks.length === 0) return reported;
    // A report that waits for its turn is not late for that.
    const atUs = this.clock.nowUs();
    const { readUpToUs } = this;
    let bytes = REPORT_BYTES * (ends + marks.length);
    for (const { result } of completions) bytes += result?.body.length ?? 0;
    for (const { message } of failings) bytes += 3 * message.length;
    const durable = await runTurn(
      partition,
      () => queuesOf(report),
      { commands: ends + marks.length, bytes, recordBytes: bytes },
      (turn) => {
        state.begin(turn);
        // A flood of marks comes before the first one is recorded.
        for (const { entry, mark } of marks)
          if (isUnderWay(entry, mark) && mayRecord(entry, Number(mark.number), turn.committedAtUs)) state.progress(turn, entry, mark);
        for (const completion of completions) reported.verdicts.push(complete({ turn, state, atUs, readUpToUs }, completion));
        for (const failing of failings) reported.verdicts.push(fail({ turn, state, atUs, readUpToUs }, failing));
        for (const lease of returned) reported.verdicts.push(giveBack({ turn, state, atUs, readUpToUs }, lease));
      },
    );
    if (durable > 0 || ends === 0) return reported;
    // Nothing is recorded, or it is not known: the worker says it again.
    return { ...reported, verdicts: leasesOf(report).map((lease) => ({ lease, reason: 'UNAVAILABLE' })) };
  }

  /** Notes the sign of life; returns the progress that is to be recorded. */
  private hear(state: QueuesState, { lease, progress }: taskpb.Heartbeat, { heard, stops }: Reported): { entry: QueueEntry; mark: taskpb.ProgressMark }[] {
    const found = lease === undefined ? undefined : leasedTask(state, lease);
    if (lease === undefined) return [];
    if (found === undefined) {
      stops.push(leaseLost(lease));
      return [];
    }
    const { entry, name, slot } = found;
    const nowUs = this.clock.nowUs();
    entry.queue.tasks.heardAtUs[slot] = nowUs;
    heard.push(lease);
    if (progress === undefined || !mayRecord(entry, name.number, nowUs)) return [];
    const kept = { ...progress, text: progress.text.slice(0, 256) };
    return [{ entry, mark: { number: BigInt(name.number), attempt: name.attempt, progress: kept } }];
  }

  /** Whether the lease is in force; else the stop that its holder must hear of. */
  stopIfLost(partition: number, lease: taskpb.Lease): taskpb.Stop | undefined {
    const state = this.stateOf(partition);
    if (state === undefined || leasedTask(state, lease) !== undefined) return undefined;
    return leaseLost(lease);
  }

  /** The queues of the partitions that are served here. */
  *entries(): Generator<QueueEntry> {
    for (const partition of this.engine?.owned ?? []) yield* this.stateOf(partition)?.entries.values() ?? [];
  }

  /** Whether the partition is served here. */
  serves(partition: number): boolean {
    return this.stateOf(partition) !== undefined;
  }

  private stateOf(number: number): QueuesState | undefined {
    const partition = this.engine?.partition(number);
    return partition?.state === 'serving' ? (partition.stateOf('task') as QueuesState) : undefined;
  }
}

// ---- taking ----

function noTurns(partition: number): Error {
  return refusal('PARTITION_UNAVAILABLE', `partition ${partition} takes no turns now; ask again`);
}

/** Starts what the worker gets of its queues in the turn. @returns at most so many. */
function startTasks(turn: Turn, state: QueuesState, { queues, types, ...worker }: Omit<Take, 'maximumTasks'>, maximum: number): Started[] {
  const started: Started[] = [];
  const room = { tasks: maximum, lanes: LANES_PER_TAKE };
  for (const queue of queues) {
    const entry = state.entries.get(queue);
    if (entry !== undefined) startTasksOf(turn, state, entry, types, room, worker, started);
  }
  return started;
}

function startTasksOf(
  turn: Turn,
  state: QueuesState,
  entry: QueueEntry,
  types: readonly string[] | undefined,
  room: { tasks: number; lanes: number },
  worker: StartingWorker,
  started: Started[],
): void {
  const { queue } = entry;
  // What is not started because its time is over counts as well: a turn has its bounds.
  for (; room.tasks > 0 && room.lanes > 0; room.tasks -= 1) {
    room.lanes -= types?.length ?? queue.types.size;
    const decision = decideStart(queue, types, turn.committedAtUs);
    if (decision.kind === 'nothing') return;
    const { number, attempt } = decision;
    if (state.endOverdue(turn, entry, number)) continue;
    state.start(turn, entry, number, attempt, worker, true);
    const slot = queue.tasks.slotOf(number);
    started.push({
      queue: queue.name,
      taskId: taskIdOf(queue.name, number),
      lease: { number, attempt, sequence: turn.sequence },
      createdSequence: queue.tasks.createdSequences[slot] as number,
      policy: queue.tasks.policies[slot] as TaskPolicy,
      createdAtUs: queue.tasks.createdAtUs[slot] as number,
    });
  }
}

// ---- reporting ----

function leasedTask(state: QueuesState, { taskId, leaseToken }: taskpb.Lease): { entry: QueueEntry; name: LeaseName; slot: number } | undefined {
  const task = taskNameOf(taskId);
  const name = leaseNameOf(leaseToken);
  const entry = task && state.entries.get(task.queue);
  if (entry === undefined || name === undefined || task?.number !== name.number) return undefined;
  const slot = leasedSlot(entry.queue, name);
  return slot === -1 ? undefined : { entry, name, slot };
}

/** A report in its turn. */
interface Reporting {
  readonly turn: Turn;
  readonly state: QueuesState;
  /** When the owner read the report, microseconds. */
  readonly atUs: number;
  /** It may have come as early as this: until then the owner had read everything. */
  readonly readUpToUs: number;
}

function complete(reporting: Reporting, { lease, result, ranUs }: taskpb.Completion): taskpb.ReportVerdict {
  if (result !== undefined && !isResult(result)) {
    // Doing it again brings the same result.
    const message = `the result has ${result.body.length} bytes with a content type of ${result.contentType.length} characters, which is too large`;
    const { reason } = reportOf(reporting, lease, { message, ranUs }, (entry, name) => decideFailure(entry.queue, name, true, reporting.turn.committedAtUs));
    return { lease, reason: reason === '' ? 'INVALID_REQUEST' : reason };
  }
  return reportOf(reporting, lease, { result, ranUs }, (entry, name) => decideCompletion(entry.queue, name));
}

function fail(reporting: Reporting, { lease, message, permanent, ranUs, timeLimit }: taskpb.Failing): taskpb.ReportVerdict {
  const detail = { message: keptMessage(message), ranUs };
  if (timeLimit) {
    const decide = (entry: QueueEntry, name: LeaseName): ReportDecision => decideTimeOver(entry.queue, name, Number(ranUs), reporting.turn.committedAtUs);
    return reportOf(reporting, lease, { ...detail, timeLimit, message: 'the attempt took too long' }, decide);
  }
  return reportOf(reporting, lease, detail, (entry, name) => decideFailure(entry.queue, name, permanent, reporting.turn.committedAtUs));
}

function giveBack(reporting: Reporting, lease: taskpb.Lease): taskpb.ReportVerdict {
  return reportOf(reporting, lease, {}, (entry, name) => decideReturn(entry.queue, name, reporting.turn.committedAtUs));
}

function reportOf(
  { turn, state, atUs, readUpToUs }: Reporting,
  lease: taskpb.Lease | undefined,
  { ranUs = 0n, timeLimit = false, ...detail }: EndingDetail & { readonly ranUs?: bigint; readonly timeLimit?: boolean },
  decide: (entry: QueueEntry, name: LeaseName) => ReportDecision,
): taskpb.ReportVerdict {
  const task = lease && taskNameOf(lease.taskId);
  const name = lease && leaseNameOf(lease.leaseToken);
  const entry = task && state.entries.get(task.queue);
  if (entry === undefined || name === undefined || task?.number !== name.number) return { lease, reason: 'LEASE_LOST' };
  const isLate = decideOverdue(entry.queue, name.number, atUs, turn.committedAtUs) !== undefined;
  const cameAtUs = isLate ? Math.min(atUs, readUpToUs) : atUs;
  if (isLate && leasedSlot(entry.queue, name) !== -1 && state.endOverdue(turn, entry, name.number, cameAtUs)) return { lease, reason: 'LEASE_LOST' };
  const ran = Number(ranUs);
  const isOver = !timeLimit && ranTooLong(entry.queue, name, ran);
  const decision = isOver ? decideTimeOver(entry.queue, name, ran, turn.committedAtUs) : decide(entry, name);
  if ('rejection' in decision) return { lease, reason: decision.rejection };
  if (!decision.repeated) state.end(turn, entry, decision, detail, { byWorker: true, endedAtUs: countedEndUs(entry, name, ran) ?? cameAtUs });
  return { lease, reason: isOver ? 'LEASE_LOST' : '' };
}

/** How long the worker had the attempt is what counts, where the worker says so; else undefined. */
function countedEndUs({ queue }: QueueEntry, name: LeaseName, ranUs: number): number | undefined {
  const countedFromUs = queue.tasks.countedFromUs[leasedSlot(queue, name)] as number;
  return ranUs > 0 && Number.isFinite(countedFromUs) ? countedFromUs + ranUs : undefined;
}

function mayRecord({ progressAtUs }: QueueEntry, number: number, nowUs: number): boolean {
  return nowUs >= (progressAtUs.get(number) ?? 0) + PROGRESS_EVERY_US;
}

function isUnderWay({ queue }: QueueEntry, { number, attempt }: taskpb.ProgressMark): boolean {
  const slot = queue.tasks.slotOf(Number(number));
  return slot !== -1 && queue.tasks.phases[slot] === RUNNING && queue.tasks.attempts[slot] === attempt;
}

/** Of the attempts that the report ends. */
export function leasesOf({ completions, failings, returned }: taskpb.WorkRequest): (taskpb.Lease | undefined)[] {
  return [...completions.map(({ lease }) => lease), ...failings.map(({ lease }) => lease), ...returned];
}

/** Queues that the report is about. */
function queuesOf(report: taskpb.WorkRequest): Set<string> {
  const queues = new Set<string>();
  for (const lease of [...report.heartbeats.map((heartbeat) => heartbeat.lease), ...leasesOf(report)]) {
    const queue = taskNameOf(lease?.taskId ?? '')?.queue;
    if (queue !== undefined) queues.add(queue);
  }
  return queues;
}

function leaseLost(lease: taskpb.Lease): taskpb.Stop {
  return { lease, cause: taskpb.StopCause.STOP_CAUSE_LEASE_LOST, limit: 0 };
}

function stopOf(lease: taskpb.Lease, { failure, state }: Ending): taskpb.Stop {
  if (failure?.kind === 'TIME_LIMIT') return { lease, cause: taskpb.StopCause.STOP_CAUSE_TIME_LIMIT, limit: failure.limit ? LIMIT_TO_PROTO[failure.limit] : 0 };
  return state === 'CANCELLED' ? { lease, cause: taskpb.StopCause.STOP_CAUSE_CANCELLED, limit: 0 } : leaseLost(lease);
}

// ---- turns ----

interface TurnSize {
  readonly commands: number;
  readonly bytes: number;
  readonly recordBytes: number;
  readonly background?: boolean;
}

/**
 * Does something with queues in a turn; resolves with its sequence when that is durable, with 0 if it is not recorded, or not known to be: a full
 * partition is one case of that. Rejects when the partition never takes such a turn.
 */
function runTurn(partition: Partition, queues: () => Iterable<string>, size: TurnSize, decide: (turn: Turn) => void): Promise<number> {
  return new Promise((resolve) => {
    const submission = new QueueTurn(
      decide,
      resolve,
      () => resolve(0),
      size,
      () => Array.from(queues(), (queue) => hashOf(partition, queue)),
    );
    try {
      partition.submit(submission);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      resolve(0);
    }
  });
}

const NO_COMMANDS: TurnSize = { commands: 0, bytes: 0, recordBytes: 0 };

class QueueTurn implements Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly background: boolean;

  constructor(
    readonly decide: (turn: Turn) => void,
    readonly settle: (sequence: number) => void,
    readonly fail: () => void,
    { commands, bytes, recordBytes, background = false }: TurnSize,
    aggregates?: () => readonly number[],
  ) {
    this.commandCount = commands;
    this.sizeBytes = bytes;
    this.recordBytes = recordBytes;
    this.background = background;
    if (aggregates !== undefined) this.aggregates = aggregates;
  }

  aggregates?: () => readonly number[];
}

/** Of a queue, as submissions of requests for it have it. */
function hashOf({ seeds }: Partition, queue: string): number {
  const bytes = Buffer.from(queue, 'utf8');
  return keyedHash(seeds, bytes, 0, bytes.length);
}

function placeOf(partition: number, queue: string): string {
  return `${partition}/${queue}`;
}
