/** TaskCommandService and ScheduleCommandService: from gRPC to the queue's partition and back, here or at its owner. */
import type { MethodDefinition } from '@grpc/grpc-js';
import { keyedHash, type Partition, type RequestVerdict, type SubmissionCaller } from '@sluice/engine';
import { encodePositionToken } from '@sluice/protocol';
import { PlainTask, readTaskBatch, type TaskBatch, taskpb, TaskResultsWriter } from '@sluice/protocol/task';
import { invalidRequest, nextRound, refusal, SluiceError, unary, type CallContext, type ServiceRegistration } from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';
import type { CommandContext } from '../command-capability';
import { bytesOnly } from '../methods/command-method';
import { partitionOfKey } from '../methods/partition-share';
import { errorOf, itemErrorOf, itemErrorOfRefusal, reasonOf } from '../methods/verdict-errors';
import { notOwner } from '../peers/not-owner';
import { commandAtOwner } from '../peers/owner-call';
import { MAXIMUM_BATCH_TASKS } from './limits';
import type { QueuesState } from './queues-state';
import {
  cancelOf,
  configurationOf,
  pauseOf,
  purgeOf,
  resumeOf,
  retryOf,
  runNowOf,
  scheduleDeletionOf,
  scheduleOf,
  schedulePauseOf,
  stateUpdateOf,
  submissionOf,
} from './requests';
import { SubmittedTasks } from './task-specs';
import { isWithinBounds, PlainSubmission } from './plain-submission';
import { ReceiptVerdict, SubmittedVerdict, type TaskRequest } from './task-request';
import { TaskItem, TaskSubmission } from './task-submission';
import { checkedTaskName, checkQueue } from './task-shape';

/** Items of one call that are read in one round of the event loop. */
const ITEMS_PER_ROUND = 256;
/** A partition takes a submission whole: of a large batch several are made. */
const SUBMISSION_BYTES = 8 << 20;
/** As it goes to another owner. */
const CREATE_TASKS = bytesOnly(taskpb.TaskCommandServiceService.createTasks);

/** The two forms of responses: a task's receipt, or fields of their own. */
interface Answer<Response> {
  readonly definition: MethodDefinition<never, Response>;
  respond(reply: Uint8Array, repeated: boolean, positionToken: string): Response;
}

export class TaskCommandService {
  constructor(private readonly context: CommandContext) {}

  registrations(): ServiceRegistration[] {
    return [this.tasks(), this.schedules()];
  }

  private tasks(): ServiceRegistration {
    const { TaskCommandServiceService: definition } = taskpb;
    const receipt = <Request, Response>(method: MethodDefinition<Request, Response>, read: (request: Request) => TaskRequest) =>
      unary((request: Request, call: CallContext) => this.run(method, request, () => read(request), call, respondWithReceipt as never));
    const own = <Request, Response>(method: MethodDefinition<Request, Response>, read: (request: Request) => TaskRequest) => this.own(method, read);
    const implementation = {
      createTask: receipt(definition.createTask, ({ queue, requestId, task }) => {
        checkQueue(queue);
        return submissionOf(queue, requestId, task, 'task');
      }),
      createTasks: unary((batch: TaskBatch, call: CallContext) => this.createTasks(batch, call)),
      cancelTask: receipt(definition.cancelTask, cancelOf),
      retryTask: unary((request: taskpb.RetryTaskRequest, call: CallContext) => this.retryTask(request, call)),
      updateTaskState: receipt(definition.updateTaskState, stateUpdateOf),
      pauseQueue: own(definition.pauseQueue, pauseOf),
      resumeQueue: own(definition.resumeQueue, resumeOf),
      purgeQueue: own(definition.purgeQueue, purgeOf),
      configureQueue: own(definition.configureQueue, configurationOf),
    };
    const createTasks = { ...definition.createTasks, requestDeserialize: readTaskBatch, responseSerialize: (response: Buffer) => response };
    return { name: 'sluice.task.v1.TaskCommandService', definition: { ...definition, createTasks }, implementation };
  }

  private schedules(): ServiceRegistration {
    const { ScheduleCommandServiceService: definition } = taskpb;
    const implementation = {
      createSchedule: this.own(definition.createSchedule, scheduleOf),
      deleteSchedule: this.own(definition.deleteSchedule, scheduleDeletionOf),
      pauseSchedule: this.own(definition.pauseSchedule, (request) => schedulePauseOf(request, true)),
      resumeSchedule: this.own(definition.resumeSchedule, (request) => schedulePauseOf(request, false)),
      runScheduleNow: this.own(definition.runScheduleNow, runNowOf),
    };
    return { name: 'sluice.task.v1.ScheduleCommandService', definition, implementation };
  }

  /** A method whose reply is its own response. */
  private own<Request, Response>(method: MethodDefinition<Request, Response>, read: (request: Request) => TaskRequest) {
    const respond: Answer<Response>['respond'] = (reply, repeated, positionToken) =>
      Object.assign(method.responseDeserialize(Buffer.from(reply)) as object, { repeated, positionToken }) as Response;
    return unary((request: Request, call: CallContext) => this.run(method, request, () => read(request), call, respond));
  }

  /** Decides here, or at the owner. */
  private async run<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    read: () => TaskRequest,
    call: CallContext,
    respond: Answer<Response>['respond'],
  ): Promise<Response> {
    const { engine, hop, observer } = this.context;
    const taskRequest = read();
    const partition = partitionOfKey(engine, taskRequest.queue);
    const owned = this.serving(partition);
    if (owned === undefined) return this.atOwner(method, request, partition, call);
    const item = new TaskItem(taskRequest, owned.seeds, queueHashOf(owned, taskRequest.queue));
    const sequence = await submit(owned, [item], call);
    const { verdict, repeated } = item;
    if (verdict === undefined) throw new Error(`${method.path} was answered without a verdict`);
    if (verdict.kind === 'refused' && verdict.refusal === 'NOT_OWNER' && hop !== undefined) return this.atOwner(method, request, partition, call);
    if (verdict.kind !== 'accepted') {
      observer.rejected(reasonOf(verdict), 1);
      throw errorOf(verdict);
    }
    return respond(verdict.reply, repeated, this.token(partition, sequence));
  }

  private atOwner<Request, Response>(method: MethodDefinition<Request, Response>, request: Request, partition: number, call: CallContext): Promise<Response> {
    const { hop } = this.context;
    if (hop === undefined || call.forwarded) throw notOwner(partition);
    return commandAtOwner(hop, partition, method, request, call);
  }

  private async retryTask(request: taskpb.RetryTaskRequest, call: CallContext): Promise<taskpb.RetryTaskResponse> {
    const { queue, number } = checkedTaskName(request.taskId);
    const owned = this.serving(partitionOfKey(this.context.engine, queue));
    const state = owned?.stateOf('task') as QueuesState | undefined;
    const sequence = state?.entries.get(queue)?.createdSequenceOf(number) ?? 0;
    // What is not decided here needs no payload.
    const created = state === undefined || sequence === 0 ? undefined : (await SubmittedTasks.read(state, sequence)).get({ queue, number });
    const { retryTask } = taskpb.TaskCommandServiceService;
    return this.run<taskpb.RetryTaskRequest, taskpb.RetryTaskResponse>(retryTask, request, () => retryOf(request, created?.spec), call, respondWithReceipt);
  }

  // ---- bulk ----

  private async createTasks({ bytes, queue, tasks }: TaskBatch, call: CallContext): Promise<Buffer> {
    checkQueue(queue);
    if (tasks.length === 0) throw invalidRequest('tasks', 'is empty');
    if (tasks.length > MAXIMUM_BATCH_TASKS) throw refusal('BATCH_TOO_LARGE', `the batch has more than ${MAXIMUM_BATCH_TASKS} tasks; send smaller batches`);
    const partition = partitionOfKey(this.context.engine, queue);
    const owned = this.serving(partition);
    if (owned === undefined) return this.atOwner(CREATE_TASKS, bytes, partition, call);
    const queueHash = queueHashOf(owned, queue);
    const results: (taskpb.CreateTasksResult | TaskItem)[] = [];
    for (const [at, task] of tasks.entries()) {
      results.push(this.itemOf(owned, queue, queueHash, task, at));
      if (results.length % ITEMS_PER_ROUND === 0) await nextRound();
    }
    const items = results.filter((result): result is TaskItem => result instanceof TaskItem);
    const sequences = await Promise.all(partsThatFit(items).map((part) => submit(owned, part, call)));
    if (items.some(({ verdict }) => verdict?.kind === 'refused' && verdict.refusal === 'NOT_OWNER') && this.context.hop !== undefined)
      return this.atOwner(CREATE_TASKS, bytes, partition, call);
    // 0 is that of a turn that was lost.
    const newest = Math.max(0, ...sequences);
    return this.answerOf(queue, results, newest === 0 ? '' : this.token(partition, newest));
  }

  private itemOf(owned: Partition, queue: string, queueHash: number, task: PlainTask | taskpb.TaskSubmission, at: number): taskpb.CreateTasksResult | TaskItem {
    try {
      return new TaskItem(batchedRequest(queue, task, at), owned.seeds, queueHash);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason !== 'INVALID_REQUEST') throw error;
      return { task: undefined, error: itemErrorOfRefusal(error) };
    }
  }

  private answerOf(queue: string, results: readonly (taskpb.CreateTasksResult | TaskItem)[], positionToken: string): Buffer {
    const writer = new TaskResultsWriter(queue, results.length);
    for (const result of results) {
      if (result instanceof TaskItem && result.verdict instanceof SubmittedVerdict && !result.repeated) writer.submitted(result.verdict.number);
      else writer.add(result instanceof TaskItem ? this.resultOf(result) : result);
    }
    return writer.finish(positionToken);
  }

  private resultOf({ verdict, repeated }: TaskItem): taskpb.CreateTasksResult {
    if (verdict === undefined) throw new Error('a task was answered without a verdict');
    if (verdict.kind === 'accepted') return { task: receiptIn(verdict, repeated), error: undefined };
    this.context.observer.rejected(reasonOf(verdict), 1);
    return { task: undefined, error: itemErrorOf(verdict) };
  }

  private serving(partition: number): Partition | undefined {
    const owned = this.context.engine.partition(partition);
    return owned?.state === 'serving' ? owned : undefined;
  }

  private token(partition: number, sequence: number): string {
    return encodePositionToken({ incarnation: this.context.incarnation, sequences: new Map([[partition, sequence]]) });
  }
}

function receiptIn(verdict: RequestVerdict & { readonly kind: 'accepted' }, repeated: boolean): taskpb.TaskReceipt {
  const receipt = verdict instanceof ReceiptVerdict || verdict instanceof SubmittedVerdict ? verdict.receipt : taskpb.TaskReceipt.decode(verdict.reply);
  return receipt.repeated === repeated ? receipt : { ...receipt, repeated };
}

function batchedRequest(queue: string, task: PlainTask | taskpb.TaskSubmission, at: number): TaskRequest {
  if (task instanceof PlainTask && isWithinBounds(task)) return new PlainSubmission(queue, task);
  const { requestId } = task;
  return submissionOf(queue, requestId, task instanceof PlainTask ? task.spec : task.task, `tasks[${at}].task`);
}

function queueHashOf({ seeds }: Partition, queue: string): number {
  const bytes = Buffer.from(queue, 'utf8');
  return keyedHash(seeds, bytes, 0, bytes.length);
}

/** Responses of commands on tasks have the receipt in a field of its own. */
function respondWithReceipt(reply: Uint8Array, repeated: boolean, positionToken: string): { task: taskpb.TaskReceipt; positionToken: string } {
  return { task: { ...taskpb.TaskReceipt.decode(reply), repeated }, positionToken };
}

function submit(partition: Partition, items: readonly TaskItem[], caller: SubmissionCaller): Promise<number> {
  return new Promise((resolve) => {
    const submission = new TaskSubmission(partition, items, () => resolve(submission.sequence), activeTraceparent());
    submission.submit(caller);
  });
}

/** Cuts items into runs that a partition takes whole. */
function partsThatFit(items: readonly TaskItem[]): TaskItem[][] {
  const parts: TaskItem[][] = [];
  let left = 0;
  for (const item of items) {
    if (parts.length === 0 || item.request.recordBytes > left) {
      parts.push([]);
      left = SUBMISSION_BYTES;
    }
    left -= item.request.recordBytes;
    (parts.at(-1) as TaskItem[]).push(item);
  }
  return parts;
}
