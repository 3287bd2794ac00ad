/**
 * The queues of one partition: the domain decides, this file finds the queue, records what happened, and takes events from the log.
 * Whoever waits for something (workers, the clock) is told through `QueueListener`.
 */
import {
  decideDue,
  decideOverdue,
  decidePurgeStep,
  decideRuns,
  decideStart,
  decideSubmission,
  leasedSlot,
  type Ending,
  type LeaseName,
  type NewTask,
  type QueueEvent,
  type Schedule,
  type Submission,
  type TaskRejection,
} from '@sluice/domain/task';
import {
  keyedHash,
  lastHash,
  type CapabilityState,
  type PartitionServices,
  requestDecided,
  type RequestVerdict,
  type SnapshotSession,
  type Turn,
} from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import type { CommitHeader, EventHandlersOf, EventRecord, logpb } from '@sluice/protocol';
import { PlainTask, taskEvents, type taskpb } from '@sluice/protocol/task';
import { DUE_STEPS_PER_TICK, ENDINGS_PER_TICK, FULL_COMMIT_BYTES, OFFERED_TASKS, RUNS_PER_TICK, TICK_BYTES } from './limits';
import { EventGatherer, type EndingDetail, type StartingWorker } from './event-gatherer';
import { CATCH_UP_RULES, DEDUPE_RULES, OUTCOMES, OVERLAP_RULES } from './proto-names';
import { QueueAlarms } from './queue-alarms';
import { QueueEntry } from './queue-entry';
import type { QueueMeter } from './queue-meter';
import { QueuesSnapshot, restoreBlock } from './queues-snapshot';
import { dueRuns } from './schedule-runs';
import { hashTaskRequest, hashTaskRequestIn } from './request-hash';
import { newTaskOf, queueLimitsOf, specBytes } from './task-shape';

/** Why an attempt was cut off, for its worker. */
export interface Cut {
  readonly lease: LeaseName;
  readonly queue: string;
  readonly ending: Ending;
}

/** What waits for queues to change. Called within a turn; nothing of it is durable then. */
export interface QueueListener {
  /** Something of the queue changed: workers that wait may be given tasks in the same turn. @returns how many were started, `maximum` at most. */
  offer(turn: Turn, state: QueuesState, entry: QueueEntry, maximum: number): number;
  /** Something of the queue changed: it may have tasks for workers. */
  touched(partition: number, entry: QueueEntry): void;
  /** Something is due in the queue at `entry.wakeAtUs`, which is earlier than was said before. */
  wakes(partition: number, entry: QueueEntry): void;
  /** Attempts were ended by others than their workers; called when that is durable. */
  cut(partition: number, cuts: readonly Cut[]): void;
}

interface EndSource {
  readonly byWorker: boolean;
  /** Microseconds. */
  readonly endedAtUs: number;
}

/** Whether the queue takes a task. `existing`: the task that has its dedupe key stands for it. */
export type Admission =
  | { readonly kind: 'admitted' }
  | Extract<Submission, { kind: 'existing' }>
  | { readonly kind: 'refused'; readonly rejection: TaskRejection };

export type RunSubmission = { readonly kind: 'submitted'; readonly number: number } | Exclude<Admission, { kind: 'admitted' }>;

/** What reading a task costs beside its bytes. */
const REPLAYED_TASK_BYTES = 128;

const SILENT: QueueListener = { offer: () => 0, touched: () => undefined, wakes: () => undefined, cut: () => undefined };

export class QueuesState implements CapabilityState {
  readonly entries = new Map<string, QueueEntry>();
  private readonly gatherer = new EventGatherer();
  private readonly touchedInTurn = new Set<QueueEntry>();
  private turn: Turn | undefined;
  private cuts: Cut[] = [];
  /** Of the turn; counted when it is durable. */
  private measures: ((meter: QueueMeter) => void)[] = [];
  private isServing = false;
  private readonly alarms = new QueueAlarms();
  private knowsAlarms = false;

  constructor(
    readonly services: PartitionServices,
    private readonly clock: Pick<Clock, 'nowUs'>,
    private readonly listener: QueueListener = SILENT,
    readonly trouble: (what: string, error: unknown) => void = () => undefined,
    private readonly meter?: QueueMeter,
  ) {}

  entry(queue: string): QueueEntry {
    let entry = this.entries.get(queue);
    if (entry === undefined) {
      entry = new QueueEntry(queue);
      this.entries.set(queue, entry);
    }
    return entry;
  }

  /** Forgets a queue of which nothing was ever recorded: a request that was refused leaves nothing behind. */
  forgetIfNew(entry: QueueEntry): void {
    if (entry.isNew) this.entries.delete(entry.queue.name);
  }

  // ---- a turn ----

  /** To be called before anything else of a turn. */
  begin(turn: Turn): void {
    turn.gather(this);
    if (this.turn !== turn) {
      this.turn = turn;
      turn.atEnd(() => this.finish(turn));
    }
    if (this.isServing) return;
    // The owner before heard of workers what this one did not.
    this.isServing = true;
    for (const { queue } of this.entries.values()) queue.heardFloorUs = turn.committedAtUs;
  }

  /** @param task what the queue sees of it. */
  create(turn: Turn, entry: QueueEntry, created: taskpb.CreatedTask, task = newTaskOf(created)): number {
    const { queue } = entry;
    const number = queue.nextNumber;
    this.gatherer.created(turn, queue, number, created);
    if (this.meter !== undefined) this.measures.push((meter) => meter.submitted(queue.name));
    entry.creations.created(number, turn.sequence);
    this.evolve(turn, entry, { kind: 'created', number, task });
    return number;
  }

  /** @param toBeHandedOut the limit of the attempt counts from `handedOut`. */
  start(turn: Turn, entry: QueueEntry, number: number, attempt: number, worker: StartingWorker, toBeHandedOut = false): void {
    this.gatherer.started(turn, entry.queue, number, attempt, worker);
    if (this.meter !== undefined) this.measureStart(turn, entry, number);
    this.evolve(turn, entry, { kind: 'started', number, attempt, workerId: worker.workerId, keepsLimits: worker.keepsLimits, toBeHandedOut });
  }

  /** The attempt leaves for its worker, unless it has ended meanwhile. @returns when it left for the first time. */
  handedOut(queue: string, lease: LeaseName, nowUs: number): number {
    const entry = this.entries.get(queue);
    const slot = entry === undefined ? -1 : leasedSlot(entry.queue, lease);
    if (entry === undefined || slot === -1) return nowUs;
    const { tasks } = entry.queue;
    const leftAtUs = entry.queue.leftAtUs(slot);
    if (Number.isFinite(leftAtUs)) return leftAtUs;
    this.meter?.handedOut(queue, nowUs - (tasks.startedAtUs[slot] as number));
    entry.queue.handedOut(slot, nowUs);
    this.wake(entry);
    return nowUs;
  }

  /** @param from when the end came to be known, and whether the worker itself said so: then it need not be told. */
  end(
    turn: Turn,
    entry: QueueEntry,
    ending: Ending,
    detail: EndingDetail,
    { byWorker, endedAtUs }: EndSource = { byWorker: false, endedAtUs: turn.committedAtUs },
  ): void {
    const { queue } = entry;
    this.gatherer.ended(turn, queue, ending, detail, endedAtUs);
    if (this.meter !== undefined) this.measureEnd(entry, ending, endedAtUs);
    if (ending.event.kind === 'attemptEnded' && !byWorker) {
      const { number, attempt } = ending.event;
      const sequence = queue.tasks.startedSequences[queue.tasks.slotOf(number)] as number;
      this.cuts.push({ lease: { number, attempt, sequence }, queue: queue.name, ending });
    }
    entry.progressAtUs.delete(ending.event.number);
    this.evolve(turn, entry, ending.event);
  }

  /** Ends the task, or its attempt, if a time limit of it was over by then. @returns whether one was. */
  endOverdue(turn: Turn, entry: QueueEntry, number: number, asOfUs = turn.committedAtUs): boolean {
    const ending = decideOverdue(entry.queue, number, asOfUs, turn.committedAtUs);
    if (ending === undefined) return false;
    this.end(turn, entry, ending, { message: limitMessage(ending) }, { byWorker: false, endedAtUs: asOfUs });
    return true;
  }

  /** The time by which attempts are counted. Times of commits stand still while this clock is behind that of the owner before. */
  countedAsOfUs({ committedAtUs }: Turn): number {
    return Math.min(this.clock.nowUs(), committedAtUs);
  }

  progress(turn: Turn, entry: QueueEntry, mark: taskpb.ProgressMark): void {
    this.gatherer.progress(turn, entry.queue, mark);
    entry.progressAtUs.set(Number(mark.number), turn.committedAtUs);
  }

  /** Records an event that stands alone, and takes it in. */
  record(turn: Turn, entry: QueueEntry, record: EventRecord): void {
    turn.event(record.type, record.version, record.payload);
    turn.gather(this);
    const { sequence, committedAtUs } = turn;
    taskEvents.read(record, { partition: this.services.partition, sequence }, this.replaying, { sequence, committedAtUs });
    this.touchedInTurn.add(entry);
  }

  private measureStart({ committedAtUs }: Turn, { queue }: QueueEntry, number: number): void {
    const { tasks, name } = queue;
    const slot = tasks.slotOf(number);
    const waitedUs = committedAtUs - Math.max(tasks.createdAtUs[slot] as number, tasks.startAtUs[slot] as number);
    this.measures.push((meter) => meter.started(name, waitedUs));
  }

  private measureEnd({ queue }: QueueEntry, ending: Ending, endedAtUs: number): void {
    const { tasks, name } = queue;
    const countedFromUs = tasks.countedFromUs[tasks.slotOf(ending.event.number)] as number;
    const ranUs = ending.event.kind === 'attemptEnded' ? Math.max(0, endedAtUs - countedFromUs) : undefined;
    this.measures.push((meter) => meter.ended(name, ending, ranUs));
  }

  private evolve(turn: Turn, entry: QueueEntry, event: QueueEvent): void {
    entry.queue.evolve(event, turn);
    this.touchedInTurn.add(entry);
  }

  flush(turn: Turn): void {
    this.gatherer.flush(turn);
    const { cuts, meter, measures } = this;
    if (meter !== undefined && measures.length > 0) {
      this.measures = [];
      turn.whenDurable(() => {
        for (const measure of measures) measure(meter);
      });
    }
    const { partition } = this.services;
    if (cuts.length > 0) {
      this.cuts = [];
      turn.whenDurable(() => this.listener.cut(partition, cuts));
    }
  }

  /** Everything that was submitted is decided: workers that wait are given what they can have, in the same commit. */
  private finish(turn: Turn): void {
    const { touchedInTurn, listener } = this;
    this.turn = undefined;
    if (touchedInTurn.size === 0) return;
    const { partition } = this.services;
    turn.flush();
    turn.gather(this);
    let room = turn.commit.writer.at > FULL_COMMIT_BYTES ? 0 : OFFERED_TASKS;
    for (const entry of [...touchedInTurn]) if (room > 0) room -= listener.offer(turn, this, entry, room);
    // With the queues that changed because a worker was given tasks of them, too.
    const changed = [...touchedInTurn];
    touchedInTurn.clear();
    for (const entry of changed) {
      entry.queue.pack(turn.committedAtUs);
      this.wake(entry);
      listener.touched(partition, entry);
    }
  }

  /** When something is due in the partition next, microseconds; as far as it was told. */
  get nextWakeUs(): number {
    return this.alarms.nextUs;
  }

  /** The queues in which something is due. */
  dueEntries(nowUs: number): readonly QueueEntry[] {
    if (!this.knowsAlarms) {
      // Queues of a snapshot, and of events that were replayed, told nothing.
      this.knowsAlarms = true;
      this.alarms.reset(this.entries.values());
    }
    return this.alarms.due(nowUs);
  }

  /** The turn that was to do what is due is lost: the next look finds it again. */
  lookAgain(): void {
    this.knowsAlarms = false;
  }

  /** Tells of what is due, if that is earlier than was said. */
  wake(entry: QueueEntry): void {
    if (this.alarms.set(entry)) this.listener.wakes(this.services.partition, entry);
  }

  // ---- requests ----

  /** `keyedHash` of the queue's name. */
  hashOf({ nameBytes }: QueueEntry): number {
    return keyedHash(this.services.seeds, nameBytes, 0, nameBytes.length);
  }

  remember(first: number, second: number, turn: Turn): void {
    this.services.index.add(first, second, turn.sequence);
  }

  /** Records the verdict of a request other than a submission, behind its events. */
  decided(turn: Turn, entry: QueueEntry, requestId: string, bodyDigest: Uint8Array, verdict: RequestVerdict): void {
    if (entry.decidedSequence !== turn.sequence) {
      entry.previousSequence = entry.decidedSequence;
      entry.decidedSequence = turn.sequence;
    }
    const record = requestDecided({
      capability: 'task',
      aggregate: 'queue',
      key: entry.queue.name,
      requestId,
      origin: 'caller',
      bodyDigest,
      verdict,
      previousSequence: entry.previousSequence,
    });
    turn.event(record.type, record.version, record.payload);
    turn.gather(this);
  }

  // ---- time ----

  /** Does what is due in the queue, in a turn. @returns whether more is due than one turn takes. */
  tick(turn: Turn, entry: QueueEntry): boolean {
    const { queue } = entry;
    entry.wakeAtUs = Number.POSITIVE_INFINITY;
    entry.rateOpensAtUs = Number.POSITIVE_INFINITY;
    this.touchedInTurn.add(entry);
    const steps = { left: DUE_STEPS_PER_TICK };
    const asOfUs = this.countedAsOfUs(turn);
    const nextEnding = (): Ending | undefined => decideDue(queue, turn.committedAtUs, steps, asOfUs);
    let endings = 0;
    for (let ending = nextEnding(); ending !== undefined; ending = nextEnding()) {
      this.end(turn, entry, ending, { message: limitMessage(ending) }, { byWorker: false, endedAtUs: asOfUs });
      endings += 1;
      if (endings === ENDINGS_PER_TICK) return true;
    }
    if (steps.left === 0) return true;
    for (const ending of decidePurgeStep(queue, ENDINGS_PER_TICK) ?? []) this.end(turn, entry, ending, { note: 'purged' });
    const room = { bytes: TICK_BYTES, runs: RUNS_PER_TICK };
    for (const schedule of queue.schedules.values()) {
      if (room.bytes <= 0 || room.runs <= 0) return true;
      this.runSchedule(turn, entry, schedule, room);
    }
    return queue.purgeSlot !== -1;
  }

  /** Submits what is due, as far as there is room for it: what is beyond is left out. */
  private runSchedule(turn: Turn, entry: QueueEntry, schedule: Schedule, room: { bytes: number; runs: number }): void {
    const spec = entry.scheduleSpecs.get(schedule.name);
    if (spec === undefined || schedule.paused) return;
    const nowUs = turn.committedAtUs;
    const isDue = (schedule.nextRunsUs[0] ?? Number.POSITIVE_INFINITY) <= nowUs;
    const lastIsLive = entry.isLive(schedule.lastNumber);
    if (!isDue && !(schedule.buffered && !lastIsLive)) return;
    const { dueUs, left, nextUs, computed } = isDue
      ? dueRuns(spec, schedule.nextRunsUs, nowUs)
      : { dueUs: [], left: 0, nextUs: schedule.nextRunsUs, computed: 0 };
    const bytes = specBytes(spec.task as taskpb.TaskSpec);
    const decision = decideRuns(schedule, dueUs, left, lastIsLive, nowUs);
    const submit = decision.submit.slice(-Math.max(1, Math.floor(room.bytes / bytes)));
    const runs = submit.map((runUs) => this.submitRun(turn, entry, schedule.name, spec, runUs));
    // A run that the queue refuses, or for which another task stands, is left out.
    const numbers = runs.flatMap((run) => (run.kind === 'submitted' ? [run.number] : []));
    const skipped = decision.skipped + decision.submit.length - numbers.length;
    const newestUs = BigInt(submit.at(-1) ?? dueUs.at(-1) ?? 0);
    this.recordRuns(turn, entry, { name: schedule.name, dueUs: newestUs, numbers, skipped, buffered: decision.buffered, nextUs });
    room.bytes -= bytes * numbers.length;
    // An event takes some time, too.
    room.runs -= computed + 5;
  }

  /** Submits the task of a run, as a caller would: dedupe key, and limits of the queue. */
  submitRun(turn: Turn, entry: QueueEntry, name: string, { task }: taskpb.ScheduleSpec, runUs: number): RunSubmission {
    const spec = task as taskpb.TaskSpec;
    const decision = this.admit(turn, entry, spec);
    if (decision.kind !== 'admitted') return decision;
    const startAtUs = spec.delayMs > 0 ? runUs + spec.delayMs * 1_000 : 0;
    const number = this.create(turn, entry, {
      requestId: '',
      spec,
      startAtUs: BigInt(startAtUs > turn.committedAtUs ? startAtUs : 0),
      retryOf: '',
      schedule: name,
      scheduledAtUs: BigInt(runUs),
    });
    return { kind: 'submitted', number };
  }

  /** Why the queue does not take a task that has no dedupe key; undefined: it takes it. */
  refusalOf({ queue }: QueueEntry, task: NewTask): TaskRejection | undefined {
    const decision = decideSubmission(queue, task, 'REFUSE');
    return 'rejection' in decision ? decision.rejection : undefined;
  }

  /** Whether the queue takes another task; ends the one that it replaces. */
  admit(turn: Turn, entry: QueueEntry, spec: taskpb.TaskSpec): Admission {
    const decision = decideSubmission(entry.queue, spec, DEDUPE_RULES[spec.dedupeRule] ?? 'REFUSE');
    if ('rejection' in decision) return { kind: 'refused', rejection: decision.rejection };
    if (decision.kind === 'existing') return decision;
    if (decision.kind === 'replaces') this.end(turn, entry, decision.ending, { note: 'replaced' });
    return { kind: 'admitted' };
  }

  recordRuns(
    turn: Turn,
    entry: QueueEntry,
    runs: { name: string; dueUs: bigint; numbers: readonly number[]; skipped: number; buffered: boolean; nextUs: readonly number[] },
  ): void {
    const { name, dueUs, numbers, skipped, buffered, nextUs } = runs;
    const event = { queue: entry.queue.name, name, dueUs, numbers: numbers.map(BigInt), skipped, buffered, nextRunsUs: nextUs.map(BigInt) };
    this.record(turn, entry, taskEvents.record('ScheduleRan', event));
  }

  /** Whether a worker of these types would get a task now. Notes when a rate lets it get one. */
  hasTask(entry: QueueEntry, types: readonly string[] | undefined, nowUs: number): boolean {
    const decision = decideStart(entry.queue, types, nowUs);
    if (decision.kind === 'start') return true;
    if (decision.againAtUs < entry.rateOpensAtUs) {
      entry.rateOpensAtUs = decision.againAtUs;
      this.wake(entry);
    }
    return false;
  }

  // ---- the log ----

  replay(event: EventRecord, commit: CommitHeader): Iterable<number> | undefined {
    return taskEvents.read(event, commit, this.replaying, commit) ?? undefined;
  }

  private readonly replaying: EventHandlersOf<typeof taskEvents, Pick<CommitHeader, 'sequence' | 'committedAtUs'>, Iterable<number> | undefined> = {
    TasksCreated: (event, commit) => this.replayCreated(event, commit),
    AttemptsStarted: ({ queue, workerId, keepsLimits, starts }, commit) => {
      const entry = this.entry(queue);
      for (const { number, attempt } of starts) entry.queue.evolve({ kind: 'started', number, attempt, workerId, keepsLimits }, commit);
      return undefined;
    },
    AttemptsEnded: ({ queue, ends }, commit) => {
      const entry = this.entry(queue);
      for (const { number, attempt, outcome, retryAtUs } of ends) {
        const known = OUTCOMES[outcome];
        if (known === undefined) throw new Error(`task ${queue}/${number}: the outcome ${outcome} is not known`);
        entry.queue.evolve({ kind: 'attemptEnded', number, attempt, outcome: known, retryAtUs }, commit);
      }
      return undefined;
    },
    TasksEnded: ({ queue, ends }, commit) => {
      const entry = this.entry(queue);
      for (const { number } of ends) entry.queue.evolve({ kind: 'ended', number: Number(number) }, commit);
      return undefined;
    },
    // Progress is for readers; the queue decides nothing by it.
    ProgressRecorded: () => undefined,
    QueueConfigured: ({ queue, limits }, commit) => {
      const entry = this.entry(queue);
      entry.limits = limits;
      if (limits !== undefined) entry.queue.evolve({ kind: 'configured', limits: queueLimitsOf(limits) }, commit);
      return undefined;
    },
    QueuePaused: ({ queue, paused }, commit) => this.evolved(queue, { kind: 'paused', paused }, commit),
    QueuePurged: ({ queue, upToNumber }, commit) => this.evolved(queue, { kind: 'purged', upToNumber: Number(upToNumber) }, commit),
    ScheduleCreated: ({ queue, name, spec, nextRunsUs }) => {
      const entry = this.entry(queue);
      if (spec === undefined) throw new Error(`schedule ${queue}/${name} is recorded without what it does`);
      this.addSchedule(entry, { name, spec, paused: false, nextRunsUs, lastNumber: 0n, buffered: false });
      return undefined;
    },
    SchedulePaused: ({ queue, name, paused, nextRunsUs }) => {
      Object.assign(this.schedule(queue, name), { paused, nextRunsUs: nextRunsUs.map(Number) });
      return undefined;
    },
    ScheduleDeleted: ({ queue, name }) => {
      const entry = this.entry(queue);
      entry.scheduleSpecs.delete(name);
      entry.queue.schedules.delete(name);
      return undefined;
    },
    ScheduleRan: ({ queue, name, numbers, buffered, nextRunsUs }) => {
      const schedule = this.schedule(queue, name);
      const lastNumber = Number(numbers.at(-1) ?? schedule.lastNumber);
      Object.assign(schedule, { lastNumber, buffered, nextRunsUs: nextRunsUs.map(Number) });
      return undefined;
    },
  };

  addSchedule(entry: QueueEntry, { name, spec, paused, nextRunsUs, lastNumber, buffered }: taskpb.ScheduleRow): void {
    if (spec === undefined) throw new Error(`schedule ${entry.queue.name}/${name} is recorded without what it does`);
    entry.scheduleSpecs.set(name, spec);
    entry.queue.schedules.set(name, {
      name,
      overlap: OVERLAP_RULES[spec.overlap] ?? 'SKIP',
      catchUp: CATCH_UP_RULES[spec.catchUp] ?? 'LATEST',
      paused,
      nextRunsUs: nextRunsUs.map(Number),
      lastNumber: Number(lastNumber),
      buffered,
    });
  }

  private schedule(queue: string, name: string): Schedule {
    const schedule = this.entry(queue).queue.schedules.get(name);
    if (schedule === undefined) throw new Error(`schedule ${queue}/${name} was never made`);
    return schedule;
  }

  private evolved(queue: string, event: QueueEvent, commit: Pick<CommitHeader, 'sequence' | 'committedAtUs'>): undefined {
    this.entry(queue).queue.evolve(event, commit);
  }

  private *replayCreated(
    { queue: name, firstNumber, tasks }: taskpb.TasksCreated,
    commit: Pick<CommitHeader, 'sequence' | 'committedAtUs'>,
  ): Generator<number> {
    const entry = this.entry(name);
    let number = Number(firstNumber);
    entry.creations.created(number, commit.sequence);
    const queueHash = this.hashOf(entry);
    for (const created of tasks) {
      entry.queue.evolve({ kind: 'created', number, task: newTaskOf(created) }, commit);
      if (this.hashCreated(queueHash, created)) this.services.index.add(lastHash.first, lastHash.second, commit.sequence);
      number += 1;
      yield REPLAYED_TASK_BYTES + (created instanceof PlainTask ? created.end - created.at : (created.spec?.payload.length ?? 0));
    }
  }

  /** @returns whether the task has a request id. */
  private hashCreated(queueHash: number, created: taskpb.CreatedTask): boolean {
    const { seeds } = this.services;
    if (created instanceof PlainTask) hashTaskRequestIn(seeds, queueHash, created.bytes, created.requestIdAt, created.requestIdEnd);
    else if (created.requestId === '') return false;
    else hashTaskRequest(seeds, queueHash, created.requestId);
    return true;
  }

  replayRequest({ key, requestId }: logpb.RequestDecided, commit: CommitHeader): void {
    const entry = this.entry(key);
    entry.decidedSequence = commit.sequence;
    hashTaskRequest(this.services.seeds, this.hashOf(entry), requestId);
    this.services.index.add(lastHash.first, lastHash.second, commit.sequence);
  }

  // ---- snapshots ----

  beginSnapshot(): SnapshotSession {
    return new QueuesSnapshot([...this.entries.values()]);
  }

  restore(block: Uint8Array): void {
    restoreBlock(this, block);
  }
}

function limitMessage({ failure }: Ending): string {
  const limit = failure?.limit;
  switch (limit) {
    case undefined:
      return '';
    case 'SUBMIT_TO_START':
      return 'no attempt was started in time';
    case 'START_TO_FINISH':
      return 'the attempt took too long';
    case 'SUBMIT_TO_FINISH':
      return 'the task was not done in time';
    case 'HEARTBEAT':
      return 'the worker gave no sign of life';
    default:
      return limit satisfies never;
  }
}
