/** The queue beside a model that looks through all tasks at every question. */
import fc from 'fast-check';
import { decideCancel, decideCompletion, decideDue, decideFailure, decidePurgeStep, decideReturn, decideStart, decideStateUpdate, type Ending } from './decide';
import { NumberIndex } from './number-index';
import { NO_QUEUE_LIMITS, type QueueLimits } from './queue-limits';
import { TaskQueue, type QueueEvent } from './queue';
import { DEFAULT_POLICY, type NewTask, type TaskPolicy } from './task';
import type { LeaseName } from './task-id';

const SECOND_US = 1_000_000;
const BEGIN_US = 1_000_000_000_000;
const TYPES = ['a', 'b', 'c'];

interface ModelTask extends NewTask {
  readonly number: number;
  readonly createdAtUs: number;
  startAtUs: number;
  attempts: number;
  failures: number;
  lease: LeaseName | undefined;
  startedAtUs: number;
  /** Of the newest attempt; empty: a caller started it. */
  workerId: string;
  ended: boolean;
}

/** What the queue must do, said as plainly as possible. */
class Model {
  readonly tasks: ModelTask[] = [];
  readonly starts: { readonly type: string; readonly key: string; readonly atUs: number }[] = [];
  paused = false;
  purgedUpTo = 0;
  limits: QueueLimits = NO_QUEUE_LIMITS;

  running(is: (task: ModelTask) => boolean = () => true): number {
    return this.tasks.filter((task) => task.lease !== undefined && is(task)).length;
  }

  /** Number of the task that is next; 0: none. */
  next(types: readonly string[] | undefined, nowUs: number): number {
    const startable = this.startable(types, nowUs);
    return startable[0]?.number ?? 0;
  }

  /** The tasks that may start, in their order. */
  startable(types: readonly string[] | undefined, nowUs: number): readonly ModelTask[] {
    if (this.paused || isFull(this.limits.maximumRunning, this.running())) return [];
    const waiting = this.tasks.filter((task) => !task.ended && task.lease === undefined && task.startAtUs <= nowUs && task.number > this.purgedUpTo);
    waiting.sort((left, right) => right.priority - left.priority || left.number - right.number);
    return waiting.filter((task) => this.mayStart(task, waiting, types));
  }

  private mayStart(task: ModelTask, waiting: readonly ModelTask[], types: readonly string[] | undefined): boolean {
    if (types !== undefined && !types.includes(task.type)) return false;
    const maximum = this.limits.types.get(task.type)?.maximumRunning ?? 0;
    if (
      isFull(
        maximum,
        this.running(({ type }) => type === task.type),
      )
    )
      return false;
    if (task.key === '') return true;
    const isFirst = waiting.find(({ key }) => key === task.key) === task;
    return isFirst && this.running(({ key }) => key === task.key) < this.limits.maximumRunningPerKey;
  }
}

function isFull(maximum: number, running: number): boolean {
  return maximum > 0 && running >= maximum;
}

const policyArbitrary: fc.Arbitrary<TaskPolicy> = fc.record({
  limits: fc.record({
    submitToStartMs: fc.constantFrom(0, 0, 3_000),
    startToFinishMs: fc.constantFrom(0, 0, 2_000),
    submitToFinishMs: fc.constantFrom(0, 0, 6_000),
    heartbeatMs: fc.constantFrom(1_500, 10_000),
  }),
  retry: fc.constantFrom(DEFAULT_POLICY.retry, { ...DEFAULT_POLICY.retry, maximumAttempts: 1 }, { ...DEFAULT_POLICY.retry, retryTimeLimit: true }),
});

type Step =
  | {
      readonly kind: 'create';
      readonly type: string;
      readonly priority: number;
      readonly key: string;
      readonly delayMs: number;
      readonly policy: TaskPolicy;
    }
  | { readonly kind: 'take'; readonly types: readonly string[] | undefined }
  | { readonly kind: 'complete' | 'fail' | 'return' | 'cancel' | 'startByHand'; readonly pick: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'limit'; readonly running: number; readonly a: number; readonly perKey: number }
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'purge' };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      type: fc.constantFrom(...TYPES),
      priority: fc.integer({ min: -1, max: 1 }),
      key: fc.constantFrom('', '', 'k1', 'k2'),
      delayMs: fc.constantFrom(0, 0, 0, 1_000),
      policy: policyArbitrary,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('take' as const), types: fc.constantFrom<readonly string[] | undefined>(undefined, ['a'], ['b', 'c']) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('complete' as const, 'fail' as const, 'return' as const, 'cancel' as const), pick: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('startByHand' as const), pick: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(100, 700, 2_500) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      running: fc.constantFrom(0, 0, 3),
      a: fc.constantFrom(0, 1),
      perKey: fc.constantFrom(1, 1, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), paused: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'purge' }) },
);

/** Drives both, and compares them at each question. */
class Both {
  readonly queue = new TaskQueue('q');
  readonly model = new Model();
  readonly events: { readonly event: QueueEvent; readonly sequence: number; readonly atUs: number }[] = [];
  nowUs = BEGIN_US;
  private sequence = 0;

  run(step: Step): void {
    switch (step.kind) {
      case 'create':
        return this.create(step);
      case 'take':
        return this.take(step.types);
      case 'complete':
        return this.report(step.pick, (lease) => decideCompletion(this.queue, lease));
      case 'fail':
        return this.report(step.pick, (lease) => decideFailure(this.queue, lease, false, this.nowUs));
      case 'return':
        return this.report(step.pick, (lease) => decideReturn(this.queue, lease, this.nowUs));
      case 'cancel':
        return this.cancel(step.pick);
      case 'startByHand':
        return this.startByHand(step.pick);
      case 'pass':
        return this.pass(step.ms);
      case 'limit': {
        const types = new Map([['a', { maximumRunning: step.a, rate: undefined }]]);
        const limits = { ...NO_QUEUE_LIMITS, maximumRunning: step.running, types, maximumRunningPerKey: step.perKey };
        this.model.limits = limits;
        return this.record({ kind: 'configured', limits });
      }
      case 'pause':
        this.model.paused = step.paused;
        return this.record({ kind: 'paused', paused: step.paused });
      case 'purge':
        return this.purge();
      default:
        return step satisfies never;
    }
  }

  private record(event: QueueEvent): void {
    this.sequence += 1;
    this.events.push({ event, sequence: this.sequence, atUs: this.nowUs });
    this.queue.evolve(event, { sequence: this.sequence, committedAtUs: this.nowUs });
  }

  private create({ type, priority, key, delayMs, policy }: Step & { kind: 'create' }): void {
    const number = this.queue.nextNumber;
    const task: NewTask = { type, priority, key, startAtUs: delayMs === 0 ? 0 : this.nowUs + delayMs * 1_000, policy, dedupeKey: '' };
    this.record({ kind: 'created', number, task });
    this.model.tasks.push({ ...task, number, createdAtUs: this.nowUs, attempts: 0, failures: 0, lease: undefined, startedAtUs: 0, workerId: '', ended: false });
  }

  private take(types: readonly string[] | undefined): void {
    const decision = decideStart(this.queue, types, this.nowUs);
    expect(decision.kind === 'start' ? decision.number : 0).toBe(this.model.next(types, this.nowUs));
    if (decision.kind === 'start') this.start({ kind: 'started', number: decision.number, attempt: decision.attempt, workerId: 'w', keepsLimits: false });
  }

  /** A caller starts a task that it chose. */
  private startByHand(pick: number): void {
    const known = this.model.tasks[pick];
    if (known === undefined || known.ended || known.attempts > 0) return;
    const decision = decideStateUpdate(this.queue, known.number, 1, 'RUNNING', this.nowUs);
    const mayStart = this.model.startable(undefined, this.nowUs).includes(known);
    if (!mayStart) expect(decision).toEqual({ rejection: 'TASK_NOT_STARTABLE' });
    else if ('rejection' in decision || decision.kind !== 'start') throw new Error('a task that may start was not started');
    else this.start(decision.event);
  }

  private start(event: QueueEvent & { kind: 'started' }): void {
    const { number, attempt, workerId } = event;
    this.record(event);
    const task = this.task(number);
    task.attempts += 1;
    expect(attempt).toBe(task.attempts);
    task.startedAtUs = this.nowUs;
    task.workerId = workerId;
    task.lease = { number, attempt, sequence: this.sequence };
  }

  private report(pick: number, decide: (lease: LeaseName) => ReturnType<typeof decideCompletion>): void {
    const held = this.model.tasks.filter(({ lease }) => lease !== undefined);
    const lease = held[pick % Math.max(1, held.length)]?.lease;
    if (lease === undefined) return;
    // A token of another attempt changes nothing.
    expect(decide({ ...lease, sequence: lease.sequence + 1_000 })).toEqual({ rejection: 'LEASE_LOST' });
    const decision = decide(lease);
    if ('rejection' in decision || decision.repeated) throw new Error('a lease in force was refused');
    this.end(decision);
    // The same again is told from what comes too late.
    expect(decide(lease)).toEqual({ repeated: true });
  }

  private cancel(pick: number): void {
    const number = pick + 1;
    const decision = decideCancel(this.queue, number, 0);
    const known = this.model.tasks[pick];
    if (known === undefined) expect(decision).toEqual({ rejection: 'TASK_NOT_FOUND' });
    else if (known.ended) expect(decision).toEqual({ rejection: 'TASK_ENDED' });
    else this.end(decision as Ending);
  }

  private pass(ms: number): void {
    this.nowUs += ms * 1_000;
    const overdue = this.model.tasks.filter((task) => isOverdue(task, this.nowUs)).map(({ number }) => number);
    const endings: number[] = [];
    const steps = { left: 1_000 };
    for (let ending = decideDue(this.queue, this.nowUs, steps); ending !== undefined; ending = decideDue(this.queue, this.nowUs, steps)) {
      this.end(ending);
      endings.push(ending.event.number);
    }
    expect([...new Set(endings)].sort((left, right) => left - right)).toEqual(overdue);
    expect(this.model.tasks.some((task) => isOverdue(task, this.nowUs))).toBe(false);
  }

  private purge(): void {
    const upToNumber = this.queue.nextNumber - 1;
    this.model.purgedUpTo = upToNumber;
    const wanted = this.model.tasks.filter(({ ended, lease }) => !ended && lease === undefined).map(({ number }) => number);
    this.record({ kind: 'purged', upToNumber });
    const purged: number[] = [];
    for (let endings = decidePurgeStep(this.queue, 3); endings !== undefined; endings = decidePurgeStep(this.queue, 3)) {
      for (const ending of endings) {
        this.end(ending);
        purged.push(ending.event.number);
      }
    }
    expect(purged.sort((left, right) => left - right)).toEqual(wanted);
    this.model.purgedUpTo = this.queue.purgedUpTo;
  }

  private end({ event, state }: Ending): void {
    this.record(event);
    const task = this.task(event.number);
    expect(task.ended).toBe(false);
    expect(task.lease !== undefined).toBe(event.kind === 'attemptEnded');
    task.lease = undefined;
    if (event.kind === 'attemptEnded' && event.outcome === 'FAILED') task.failures += 1;
    task.ended = state !== 'RUNNING';
    if (event.kind === 'attemptEnded' && event.retryAtUs !== 0) task.startAtUs = event.retryAtUs;
  }

  private task(number: number): ModelTask {
    return this.model.tasks[number - 1] as ModelTask;
  }
}

function isOverdue({ ended, lease, attempts, createdAtUs, startedAtUs, workerId, policy: { limits } }: ModelTask, nowUs: number): boolean {
  if (ended) return false;
  const isOver = (fromUs: number, ms: number): boolean => ms > 0 && fromUs + ms * 1_000 <= nowUs;
  if (isOver(createdAtUs, limits.submitToFinishMs)) return true;
  if (attempts === 0) return isOver(createdAtUs, limits.submitToStartMs);
  if (lease === undefined) return false;
  return isOver(startedAtUs, limits.startToFinishMs) || (workerId !== '' && isOver(startedAtUs, limits.heartbeatMs));
}

test('the queue starts and ends what the model does', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 80 }), (steps) => {
      const both = new Both();
      for (const step of steps) both.run(step);
    }),
    { numRuns: 400 },
  );
});

test('a queue that is replayed, or made from records, goes on like the one that was there', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 60 }), (steps) => {
      const both = new Both();
      for (const step of steps) both.run(step);
      const replayed = new TaskQueue('q');
      for (const { event, sequence, atUs } of both.events) replayed.evolve(event, { sequence, committedAtUs: atUs });
      const restored = new TaskQueue('q');
      restored.evolve({ kind: 'configured', limits: both.queue.limits }, { sequence: 1, committedAtUs: both.nowUs });
      restored.paused = both.queue.paused;
      restored.purgedUpTo = both.queue.purgedUpTo;
      const { tasks } = both.queue;
      for (let slot = 0; slot < tasks.used; slot += 1) if (tasks.phases[slot] !== 0) restored.restore(tasks.recordOf(slot));
      restored.nextNumber = both.queue.nextNumber;
      for (const copy of [replayed, restored]) {
        expect(decideDue(copy, both.nowUs, { left: 1_000 })).toBeUndefined();
        for (const types of [undefined, ['a'], ['b', 'c']]) expect(decideStart(copy, types, both.nowUs)).toEqual(decideStart(both.queue, types, both.nowUs));
      }
    }),
    { numRuns: 200 },
  );
});

test('rates are exact in every window, for the queue, a type and a key', () => {
  const queue = new TaskQueue('q');
  const rate = { maximumStarts: 2, windowMs: 1_000 };
  const limits: QueueLimits = {
    ...NO_QUEUE_LIMITS,
    types: new Map([['a', { maximumRunning: 0, rate }]]),
    maximumRunningPerKey: 10,
    ratePerKey: { maximumStarts: 1, windowMs: 1_000 },
  };
  let sequence = 0;
  const record = (event: QueueEvent, atUs: number): void => queue.evolve(event, { sequence: (sequence += 1), committedAtUs: atUs });
  record({ kind: 'configured', limits }, BEGIN_US);
  const add = (type: string, key: string): void =>
    record({ kind: 'created', number: queue.nextNumber, task: { type, priority: 0, key, startAtUs: 0, policy: DEFAULT_POLICY, dedupeKey: '' } }, BEGIN_US);
  for (let count = 0; count < 6; count += 1) add('a', '');
  for (let count = 0; count < 3; count += 1) add('b', 'k');
  const startsOf: Record<string, number[]> = { a: [], b: [] };
  for (let atUs = BEGIN_US; atUs < BEGIN_US + 4 * SECOND_US; atUs += SECOND_US / 10) {
    while (decideDue(queue, atUs, { left: 1_000 }) !== undefined);
    for (let decision = decideStart(queue, undefined, atUs); decision.kind === 'start'; decision = decideStart(queue, undefined, atUs)) {
      startsOf[decision.number <= 6 ? 'a' : 'b']?.push((atUs - BEGIN_US) / SECOND_US);
      record({ kind: 'started', number: decision.number, attempt: decision.attempt, workerId: 'w', keepsLimits: false }, atUs);
    }
  }
  expect(startsOf).toEqual({ a: [0, 0, 1, 1, 2, 2], b: [0, 1, 2] });
});

test.each`
  what                           | atSeconds | outcome
  ${'while the rate is used up'} | ${0.9}    | ${{ rejection: 'TASK_NOT_STARTABLE' }}
  ${'when the window is over'}   | ${1}      | ${{ kind: 'start' }}
`('a caller starts a task $what: $outcome', ({ atSeconds, outcome }: { atSeconds: number; outcome: object }) => {
  const queue = new TaskQueue('q');
  const place = { sequence: 1, committedAtUs: BEGIN_US };
  queue.evolve({ kind: 'configured', limits: { ...NO_QUEUE_LIMITS, rate: { maximumStarts: 1, windowMs: 1_000 } } }, place);
  for (const number of [1, 2])
    queue.evolve({ kind: 'created', number, task: { type: 'a', priority: 0, key: '', startAtUs: 0, policy: DEFAULT_POLICY, dedupeKey: '' } }, place);
  queue.evolve({ kind: 'started', number: 1, attempt: 1, workerId: '', keepsLimits: false }, place);
  expect(decideStateUpdate(queue, 2, 1, 'RUNNING', BEGIN_US + atSeconds * SECOND_US)).toMatchObject(outcome);
});

test('the index of numbers finds what was added and not deleted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300 })), { maxLength: 600 }), (operations) => {
      const index = new NumberIndex();
      const model = new Map<number, number>();
      for (const [adds, number] of operations) {
        if (adds && !model.has(number)) {
          index.add(number, number * 2);
          model.set(number, number * 2);
        } else if (!adds) {
          index.delete(number);
          model.delete(number);
        }
      }
      expect(index.size).toBe(model.size);
      for (let number = 1; number <= 300; number += 1) expect(index.get(number)).toBe(model.get(number) ?? -1);
    }),
  );
});
