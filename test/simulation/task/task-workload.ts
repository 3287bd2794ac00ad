/**
 * Callers that submit tasks to two queues with limits, cancel some and do others outside of workers; workers that do not behave, and one of the client library. When the deployment is
 * calm and every task has ended, the log is read:
 *
 *   - every acknowledged submission is in the log, once, as the task that was answered; asking again gives the same task;
 *   - every task ends once; nothing of it is started, ended or reported after that;
 *   - what was handed to a worker was started in the log, and an attempt has one worker;
 *   - what a worker was told is recorded, is recorded, with its result;
 *   - serial keys never overlap, and no limit of a queue, a type, a rate or a time is passed, by the commit times of the log;
 *   - queries say of every task what the log says.
 */
import { taskpb } from '@sluice/protocol/task';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { CallFailed, readOr } from '../world/call-failed';
import { libraryResult, LIBRARY_WORKER, startLibraryWorker } from './library-worker';
import { attemptKey, hasEnded, requestKey, taskReader, type ReadAttempt, type TaskReading } from './task-model';
import { UnrulyWorker, type WorkerNotes } from './unruly-worker';

const COMMANDS = taskpb.TaskCommandServiceService;
const QUERIES = taskpb.TaskQueryServiceService;
const CALLERS = 2;
const BATCHES_PER_CALLER = 6;
const MOST_TASKS = 4;
const WORKERS = 3;
const QUEUES = ['parcels', 'letters'];
const TYPES = ['light', 'heavy'];
/** Tasks of this type are done by callers. */
const OUTSIDE = 'outside';
const OUTSIDE_QUEUE = 'outside';
const LOOK_US = 250_000;
const TRANSIENT_REASONS = new Set(['PARTITION_UNAVAILABLE', 'NOT_OWNER', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL']);
const { AttemptOutcome, TaskState } = taskpb;

interface Submitted {
  readonly queue: string;
  readonly submission: taskpb.TaskSubmission;
  /** The task's id, or why there is none. */
  readonly answer: string;
}

export class TaskWorkload implements Workload {
  readonly #submitted = new Map<string, Submitted>();
  /** Tasks whose end was acknowledged to a caller. */
  readonly #ended = new Map<string, taskpb.TaskState>();
  readonly #notes: WorkerNotes = { handed: new Map(), taken: new Map() };
  readonly #callers: CallerGroup;
  /** How far the clocks of two owners may be apart while there are faults. */
  readonly #clocksDifferByUs: number;
  #workers: UnrulyWorker[] = [];
  #endLibraryWorker = async (): Promise<void> => undefined;

  constructor(private readonly deployment: Deployment) {
    this.#clocksDifferByUs = 2 * deployment.world.faults.skewUs;
    this.#callers = new CallerGroup(deployment, 'submitter', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#submitted.size} submissions answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#workers = Array.from({ length: WORKERS }, (_, number) => new UnrulyWorker(this.deployment, `worker-${number + 1}`, QUEUES, this.#notes));
    this.#endLibraryWorker = startLibraryWorker(this.deployment, QUEUES, TYPES);
    this.#callers.begin((callers, number) => this.#call(callers, number));
  }

  async #call(callers: Callers, number: number): Promise<void> {
    const { random } = callers;
    await this.#configure(callers);
    for (let batch = 0; batch < this.deployment.partOf(BATCHES_PER_CALLER); batch += 1) {
      const prefix = `s${number}-${batch}`;
      await this.#submit(callers, random.pick(QUEUES), this.#drawTasks(callers, prefix));
      if (random.chance(0.3)) await this.#cancelOne(callers, prefix);
      if (random.chance(0.3)) await this.#doOutside(callers, prefix);
      await callers.pause(random.below(600_000));
    }
  }

  /** The same for every caller, with the same request id: it is done once. */
  async #configure(callers: Callers): Promise<void> {
    const limits = taskpb.QueueLimits.fromPartial({
      maximumRunning: 5,
      rate: { maximumStarts: 6, windowMs: 400 },
      types: [{ type: 'heavy', maximumRunning: 2 }],
    });
    const request = taskpb.ConfigureQueueRequest.encode({ requestId: 'limits', queue: 'parcels', limits }).finish();
    await callers.call('command', COMMANDS.configureQueue.path, request);
  }

  #drawTasks(callers: Callers, prefix: string): taskpb.TaskSubmission[] {
    const { random } = callers;
    return Array.from({ length: random.between(1, MOST_TASKS) }, (_, item) =>
      taskpb.TaskSubmission.fromPartial({
        requestId: `${prefix}-${item}`,
        task: {
          type: random.pick(['light', 'light', 'heavy']),
          payload: Buffer.from(`${prefix}-${item}`, 'utf8'),
          priority: random.between(-1, 2),
          key: random.chance(0.4) ? random.pick(['blue', 'green']) : '',
          delayMs: random.chance(0.2) ? random.between(50, 800) : 0,
          limits: {
            startToFinishMs: random.between(600, 2_000),
            heartbeatMs: random.between(300, 1_000),
            submitToStartMs: random.chance(0.15) ? random.between(300, 1_500) : 0,
            submitToFinishMs: random.chance(0.2) ? random.between(1_000, 5_000) : 0,
          },
          retry: { maximumAttempts: 3, firstPauseMs: 50, maximumPauseMs: 500, retryTimeLimit: random.chance(0.5) },
        },
      }),
    );
  }

  async #submit(callers: Callers, queue: string, submissions: readonly taskpb.TaskSubmission[]): Promise<void> {
    let open = [...submissions];
    while (open.length > 0) {
      const request = taskpb.CreateTasksRequest.encode({ queue, tasks: open }).finish();
      const { results } = taskpb.CreateTasksResponse.decode(await callers.call('command', COMMANDS.createTasks.path, request));
      open = open.filter((submission, at) => {
        const result = results[at];
        if (result === undefined || TRANSIENT_REASONS.has(result.error?.reason ?? '')) return true;
        this.#keep(queue, submission, result);
        return false;
      });
      if (open.length > 0) await callers.pause(20_000 + callers.random.below(100_000));
    }
  }

  /** Keeps the first answer, or compares with it. */
  #keep(queue: string, submission: taskpb.TaskSubmission, { task, error }: taskpb.CreateTasksResult): void {
    const { world } = this.deployment;
    const key = requestKey(queue, submission.requestId);
    const answer = task?.taskId ?? error?.reason ?? 'nothing';
    const first = this.#submitted.get(key);
    if (first === undefined) {
      this.#submitted.set(key, { queue, submission, answer });
      world.trace.note('answer', `${key}: ${answer}${task?.repeated === true ? ' (repeated)' : ''}`);
      return;
    }
    if (first.answer !== answer) world.breach(`submission ${key} was answered "${first.answer}" and then "${answer}"`);
    if (task !== undefined && !task.repeated) world.breach(`submission ${key} was answered twice, the second time not as a repeat`);
  }

  async #cancelOne(callers: Callers, prefix: string): Promise<void> {
    const known = [...this.#submitted.values()].filter(({ queue, answer }) => queue !== OUTSIDE_QUEUE && answer.startsWith(`${queue}/`));
    if (known.length === 0) return;
    const taskId = callers.random.pick(known).answer;
    const request = taskpb.CancelTaskRequest.encode({ requestId: `${prefix}-cancel`, taskId, expectedVersion: 0, note: '' }).finish();
    await this.#ending(taskId, async () => taskpb.CancelTaskResponse.decode(await callers.call('command', COMMANDS.cancelTask.path, request)).task);
  }

  /** By two callers at once: one of the two sets the next state, the other is refused. */
  async #doOutside(callers: Callers, prefix: string): Promise<void> {
    const requestId = `${prefix}-outside`;
    await this.#submit(callers, OUTSIDE_QUEUE, [taskpb.TaskSubmission.fromPartial({ requestId, task: { type: OUTSIDE } })]);
    const taskId = this.#submitted.get(requestKey(OUTSIDE_QUEUE, requestId))?.answer ?? '';
    await this.#update(callers, taskId, `${prefix}-begin`, 1, TaskState.TASK_STATE_RUNNING);
    const wins = await Promise.all(
      [TaskState.TASK_STATE_SUCCEEDED, TaskState.TASK_STATE_FAILED].map((state) =>
        this.#ending(taskId, () => this.#update(callers, taskId, `${prefix}-${TaskState[state]}`, 2, state)),
      ),
    );
    if (wins.filter((won) => won).length !== 1)
      this.deployment.world.breach(`task ${taskId} was brought to its end by ${wins.filter((won) => won).length} of two callers`);
  }

  async #update(
    callers: Callers,
    taskId: string,
    requestId: string,
    expectedVersion: number,
    state: taskpb.TaskState,
  ): Promise<taskpb.TaskReceipt | undefined> {
    const request = taskpb.UpdateTaskStateRequest.encode(taskpb.UpdateTaskStateRequest.fromPartial({ requestId, taskId, expectedVersion, state })).finish();
    return taskpb.UpdateTaskStateResponse.decode(await callers.call('command', COMMANDS.updateTaskState.path, request)).task;
  }

  /** @returns whether the command ended the task; a refusal by the state of the task is an answer, too. */
  async #ending(taskId: string, command: () => Promise<taskpb.TaskReceipt | undefined>): Promise<boolean> {
    const { world } = this.deployment;
    try {
      const receipt = await command();
      const state = receipt?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
      const known = this.#ended.get(taskId);
      if (known !== undefined) world.breach(`task ${taskId} was ended as ${TaskState[known]} and then as ${TaskState[state]}`);
      this.#ended.set(taskId, state);
      return true;
    } catch (error) {
      if (!(error instanceof CallFailed) || error.code !== 'REFUSED') throw error;
      if (error.reason !== 'TASK_ENDED' && error.reason !== 'STATE_VERSION_MISMATCH') world.breach(`the end of task ${taskId} was refused: ${error.message}`);
      return false;
    }
  }

  async judge(): Promise<void> {
    const { world } = this.deployment;
    const reading = await this.#untilEveryTaskEnded();
    for (const worker of this.#workers) worker.stop();
    await this.#endLibraryWorker();
    for (const contradiction of reading.contradictions) world.breach(`the log contradicts itself: ${contradiction}`);
    this.#compareSubmissions(reading);
    this.#compareWorkers(reading);
    for (const [taskId, state] of this.#ended) {
      const read = reading.tasks.get(taskId)?.state;
      if (read !== state) world.breach(`task ${taskId} was answered to have ended as ${TaskState[state]}; the log says ${TaskState[read ?? 0]}`);
    }
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    for (const { queue, submission } of this.#submitted.values()) await this.#submit(callers, queue, [submission]);
    await this.#compareQueries(callers, reading);
  }

  /** Tasks end by themselves, by their limits if nothing else; if they do not, the judge does not end, and that is a breach. */
  async #untilEveryTaskEnded(): Promise<TaskReading> {
    const { world, cluster } = this.deployment;
    const read = taskReader(cluster.decodedLog, this.#clocksDifferByUs);
    for (;;) {
      const reading = read();
      if (reading.live === 0) return reading;
      const open = [...reading.tasks.values()].filter((task) => !hasEnded(task)).map(({ taskId, state }) => `${taskId} ${TaskState[state]}`);
      world.trace.note('judge', `${reading.live} tasks have not ended: ${open.join(', ')}`);
      if (reading.contradictions.length > 0) return reading;
      await this.deployment.growth(LOOK_US);
    }
  }

  #compareSubmissions({ tasks, requests }: TaskReading): void {
    const { world } = this.deployment;
    for (const [key, taskIds] of requests) if (taskIds.length > 1) world.breach(`submission ${key} is in the log ${taskIds.length} times`);
    for (const [key, { answer, queue, submission }] of this.#submitted) {
      const task = tasks.get(answer);
      if (!answer.startsWith(`${queue}/`)) world.breach(`submission ${key} was refused: ${answer}`);
      else if (task === undefined) world.breach(`submission ${key} was acknowledged as ${answer}, which is not in the log`);
      else if (task.requestId !== submission.requestId) world.breach(`submission ${key} was answered with ${answer}, which is that of ${task.requestId}`);
    }
  }

  #compareWorkers({ tasks }: TaskReading): void {
    const { world } = this.deployment;
    const { handed, taken } = this.#notes;
    const attempts = new Map([...tasks.values()].flatMap((task) => task.attempts.map((attempt) => [attemptKey(task.taskId, attempt), attempt] as const)));
    for (const [key, { workerId }] of handed) {
      const attempt = attempts.get(key);
      if (attempt === undefined) world.breach(`${key} was handed to ${workerId} and is not in the log`);
      else if (attempt.workerId !== workerId) world.breach(`${key} was handed to ${workerId}; the log says ${attempt.workerId}`);
    }
    for (const task of tasks.values()) for (const attempt of task.attempts) this.#compareResult(task.taskId, attempt);
    for (const [key, { kind, result }] of taken) {
      const attempt = attempts.get(key);
      const outcome = OUTCOMES[kind];
      if (attempt?.outcome !== outcome || attempt.result !== result)
        world.breach(`the ${kind} of ${key} was taken; the log says ${AttemptOutcome[attempt?.outcome ?? 0]} with "${attempt?.result}", not "${result}"`);
    }
  }

  /** A result names the attempt that brought it. */
  #compareResult(taskId: string, attempt: ReadAttempt): void {
    const { outcome, result, workerId, number } = attempt;
    if (outcome !== AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED || workerId === '') return;
    const key = attemptKey(taskId, attempt);
    const isOwn = workerId === LIBRARY_WORKER ? result === libraryResult(taskId, number) : key.endsWith(`#${result.slice(result.lastIndexOf(' ') + 1)}`);
    if (!isOwn) this.deployment.world.breach(`${key} has the result of another attempt: "${result}"`);
  }

  async #compareQueries(callers: Callers, { tasks }: TaskReading): Promise<void> {
    for (const task of tasks.values()) {
      const request = taskpb.GetTaskRequest.encode(taskpb.GetTaskRequest.fromPartial({ taskId: task.taskId })).finish();
      const read = await callers.readUntil(task.state, () => stateOf(callers, request));
      if (read !== task.state) this.deployment.world.breach(`task ${task.taskId} is read as ${TaskState[read]}; the log says ${TaskState[task.state]}`);
    }
  }
}

function stateOf(callers: Callers, request: Uint8Array): Promise<taskpb.TaskState> {
  const absent = TaskState.TASK_STATE_UNSPECIFIED;
  return readOr<taskpb.TaskState>(
    absent,
    'TASK_NOT_FOUND',
    async () => taskpb.GetTaskResponse.decode(await callers.call('query', QUERIES.getTask.path, request)).task?.state ?? absent,
  );
}

const OUTCOMES = {
  completion: AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED,
  failing: AttemptOutcome.ATTEMPT_OUTCOME_FAILED,
  returned: AttemptOutcome.ATTEMPT_OUTCOME_RETURNED,
} as const;
