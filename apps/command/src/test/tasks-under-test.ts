/** Tasks over memory adapters, called without a network. Stopping, crashing and starting again keep the log and the snapshots. */
import { partitionOfKey } from '@sluice/domain';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { readCommit, type EventRecord } from '@sluice/protocol';
import { taskpb } from '@sluice/protocol/task';
import { type CallContext, functionOf, LocalCall, ANYBODY } from '@sluice/service';
import type { QueuesState } from '../task/queues-state';
import { startCommand, type CommandDependencies, type CommandRuntime } from '../command';
import { commitsOf, fillLog, type History } from './recorded-history';

const INCARNATION = '00112233445566778899aabbccddeeff';
const CALL = { ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

/** What a test may choose. */
type OwnDependencies = Pick<CommandDependencies, 'settings' | 'metrics' | 'drainGraceMs' | 'limits' | 'observer'>;

type Methods = typeof taskpb.TaskCommandServiceService & typeof taskpb.ScheduleCommandServiceService;

export class TasksUnderTest {
  readonly clock = new ManualClock();
  private readonly storage = new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION, createdAtUs: 1_767_225_600_000_000 });
  private readonly blocks: MemoryBlocks = new Map();
  private readonly keyring = new MemoryKeyring();
  log = new MemoryEventLog(this.storage);
  private runtime: CommandRuntime | undefined;
  private requests = 0;

  private constructor(private readonly dependencies: OwnDependencies = {}) {}

  static async start(dependencies: OwnDependencies = {}): Promise<TasksUnderTest> {
    const tasks = new TasksUnderTest(dependencies);
    await tasks.run();
    return tasks;
  }

  /** Starts over the commits of a history. */
  static async over(commits: History['commits']): Promise<TasksUnderTest> {
    const tasks = new TasksUnderTest();
    fillLog(tasks.storage, commits);
    await tasks.run();
    return tasks;
  }

  /** What becomes of the next appends. */
  get faults(): MemoryEventLog['faults'] {
    return this.log.faults;
  }

  /** The log: base64, by partition. */
  commits(): string[][] {
    return commitsOf(this.storage);
  }

  private async run(): Promise<void> {
    this.log = new MemoryEventLog(this.storage);
    this.runtime = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(this.blocks),
      bus: new InProcessBus({ clock: this.clock }),
      keyring: this.keyring,
      clock: this.clock,
      instanceId: 'tasks-under-test',
      pool: 'off',
      ...this.dependencies,
      limits: { doubtMs: 0, ...this.dependencies.limits },
    });
  }

  async stop(): Promise<void> {
    await this.runtime?.stop();
    this.runtime = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.run();
  }

  /** The process dies without leaving a snapshot. */
  async crash(): Promise<void> {
    await this.log.close();
    await this.runtime?.engine.stop({ snapshot: false });
    await this.run();
  }

  /** Calls a method of the command services. A request id is made where none is given. */
  async call<Method extends keyof Methods>(method: Method, request: object): Promise<ReturnType<Methods[Method]['responseDeserialize']>> {
    const registration = this.runtime?.registrations.find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (registration === undefined || carried === undefined) throw new Error(`no service has ${method}`);
    this.requests += 1;
    const full = method === 'createTasks' ? request : { requestId: `request ${this.requests}`, ...request };
    const definition = registration.definition[method];
    const filled = definition?.requestDeserialize(definition.requestSerialize(defaultsOf(method, full)));
    const answer: unknown = await carried.run(filled as never, CALL as never, undefined as never);
    // Some responses are written by hand.
    return definition?.responseDeserialize(definition.responseSerialize(answer)) as never;
  }

  /** Submits a task; returns its id. */
  async create(type: string, spec: object = {}, queue = 'q'): Promise<string> {
    const { task } = await this.call('createTask', { queue, task: specOf({ type, ...spec }) });
    return task?.taskId ?? '';
  }

  worker(subscription: Partial<taskpb.Subscription> = {}): WorkerUnderTest {
    const registration = this.runtime?.registrations.find(({ definition }) => 'work' in definition);
    const carried = functionOf(registration?.implementation.work as object);
    if (carried?.form !== 'bidi') throw new Error('there is no worker service');
    return new WorkerUnderTest(carried.run as never, { workerId: 'w', queues: ['q'], types: [], capacity: 10, held: [], keepsLimits: false, ...subscription });
  }

  /** The types of the events of each commit of the partition of a queue. */
  typesByCommit(queue: string): string[][] {
    const partition = partitionOfKey(Buffer.from(queue, 'utf8'), this.storage.partitions.length);
    return this.storage.commitsOf(partition).map(({ bytes }) => readCommit(bytes).events.map(({ type }) => type));
  }

  /** How many queues are in memory. */
  get queueCount(): number {
    const { engine } = this.runtime as CommandRuntime;
    return [0, 1].reduce((count, partition) => count + ((engine.partition(partition)?.stateOf('task') as QueuesState | undefined)?.entries.size ?? 0), 0);
  }

  events(): EventRecord[] {
    return this.storage.partitions.flatMap((commits) => commits.flatMap(({ bytes }) => readCommit(bytes).events));
  }

  eventTypes(): string[] {
    return this.events().flatMap(({ type }) => (type.startsWith('task.') ? type.slice('task.'.length) : []));
  }
}

function defaultsOf(method: string, request: object): never {
  const name = `${method[0]?.toUpperCase() ?? ''}${method.slice(1)}Request`;
  const message = (taskpb as unknown as Record<string, { fromPartial(partial: object): never }>)[name];
  if (message === undefined) throw new Error(`there is no ${name}`);
  return message.fromPartial(request);
}

export function specOf(partial: object): taskpb.TaskSpec {
  return taskpb.TaskSpec.fromPartial(partial);
}

type Run = (requests: AsyncIterable<taskpb.WorkRequest>, send: (response: taskpb.WorkResponse) => undefined, call: CallContext) => Promise<void>;

/** A worker's stream, driven by hand. */
export class WorkerUnderTest {
  readonly answers: taskpb.WorkResponse[] = [];
  readonly ended: Promise<void>;
  private readonly queue: taskpb.WorkRequest[] = [];
  private wake = (): void => undefined;
  private heard = (): void => undefined;
  private closed = false;

  constructor(run: Run, subscription: taskpb.Subscription) {
    this.send({ subscription });
    const call = new LocalCall(ANYBODY, 0, Number.POSITIVE_INFINITY);
    const notForwarded = Object.create(call, { forwarded: { value: false } }) as CallContext;
    this.ended = run(
      this.requests(),
      (response) => {
        this.answers.push(response);
        this.heard();
      },
      notForwarded,
    );
  }

  private async *requests(): AsyncGenerator<taskpb.WorkRequest> {
    for (;;) {
      const next = this.queue.shift();
      if (next !== undefined) yield next;
      else if (this.closed) return;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  send(request: Partial<taskpb.WorkRequest>): void {
    this.queue.push({ subscription: undefined, heartbeats: [], completions: [], failings: [], returned: [], draining: false, ...request });
    this.wake();
  }

  /** The stream is cut. */
  async cut(): Promise<void> {
    this.closed = true;
    this.wake();
    await this.ended;
  }

  /** Waits until an answer has what is looked for, and returns it. */
  async until<Found>(find: (answer: taskpb.WorkResponse) => Found | undefined): Promise<Found> {
    for (let at = 0; ; ) {
      for (; at < this.answers.length; at += 1) {
        const found = find(this.answers[at] as taskpb.WorkResponse);
        if (found === undefined) continue;
        this.answers.splice(at, 1);
        return found;
      }
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
  }

  async task(): Promise<taskpb.AssignedTask> {
    return this.until(({ tasks }) => tasks[0]);
  }

  async verdict(): Promise<string> {
    return this.until(({ verdicts }) => verdicts[0]?.reason);
  }

  async stopped(): Promise<taskpb.Stop> {
    return this.until(({ stops }) => stops[0]);
  }

  complete(lease: { taskId: string; leaseToken: string }, body = '', ranUs = 0n): Promise<string> {
    this.send({ completions: [{ lease: leaseOf(lease), result: { body: Buffer.from(body), contentType: '' }, ranUs }] });
    return this.verdict();
  }

  fail(lease: { taskId: string; leaseToken: string }, message: string, permanent = false): Promise<string> {
    this.send({ failings: [{ lease: leaseOf(lease), message, permanent, ranUs: 0n, timeLimit: false }] });
    return this.verdict();
  }

  /** The worker ended the work because its time was over by its own clock. */
  timeOver(lease: { taskId: string; leaseToken: string }, ranUs: bigint): Promise<string> {
    this.send({ failings: [{ lease: leaseOf(lease), message: '', permanent: false, ranUs, timeLimit: true }] });
    return this.verdict();
  }
}

export function leaseOf({ taskId, leaseToken }: taskpb.Lease): taskpb.Lease {
  return { taskId, leaseToken };
}
