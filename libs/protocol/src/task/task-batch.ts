/** CreateTasks and its event, read and written by hand: tasks that are plain stay bytes. The generated codec is the oracle (property test). */
import { CreateTasksRequest, CreateTasksResult, TaskSubmission } from '../generated/sluice/task/v1/command_service';
import { CreatedTask, TasksCreated } from '../generated/sluice/task/v1/events';
import { TaskState } from '../generated/sluice/task/v1/task';
import type { EventCodec } from '../events/event-definition';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import { PlainTask, PlainTaskReader } from './plain-task';

const TAG = {
  REQUEST: { QUEUE: 0x0a, TASKS: 0x12 },
  EVENT: { QUEUE: 0x0a, FIRST_NUMBER: 0x10, TASKS: 0x1a },
  RESPONSE: { RESULTS: 0x0a, POSITION_TOKEN: 0x12 },
  RESULT: { TASK: 0x0a },
  RECEIPT: { TASK_ID: 0x0a, STATE: 0x10, VERSION: 0x18 },
} as const;

/** What most tasks, and results of them, take at most; more is made room for. */
const TYPICAL_TASK_BYTES = 160;
const TYPICAL_RESULT_BYTES = 32;

// ---- the request ----

/** A CreateTasksRequest whose plain tasks are not decoded. */
export interface TaskBatch extends Pick<CreateTasksRequest, 'queue'> {
  /** The whole message. */
  readonly bytes: Buffer;
  readonly tasks: readonly (PlainTask | TaskSubmission)[];
}

/** Reads a CreateTasksRequest. Throws MalformedMessageError, or what the generated codec throws, for bytes that are none. */
export function readTaskBatch(bytes: Buffer): TaskBatch {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const plain = new PlainTaskReader(bytes);
  const tasks: (PlainTask | TaskSubmission)[] = [];
  let queue = '';
  while (!reader.done) {
    const tag = bytes[reader.at] as number;
    if (tag !== TAG.REQUEST.QUEUE && tag !== TAG.REQUEST.TASKS) return { ...CreateTasksRequest.decode(bytes), bytes };
    reader.at += 1;
    const length = reader.length();
    const { at } = reader;
    reader.at += length;
    if (tag === TAG.REQUEST.QUEUE) queue = bytes.toString('utf8', at, reader.at);
    else tasks.push(plain.read(at, reader.at) ?? TaskSubmission.decode(bytes.subarray(at, reader.at)));
  }
  return { bytes, queue, tasks };
}

// ---- the event ----

/** TasksCreated, whose plain tasks are bytes. */
export const tasksCreatedCodec: EventCodec<TasksCreated> = {
  encode: (event) => ({
    finish() {
      const writer = new ByteWriter(64 + TYPICAL_TASK_BYTES * event.tasks.length);
      writeTasksCreated(writer, event);
      return writer.bytes.subarray(0, writer.at);
    },
  }),
  decode: (payload) => readTasksCreated(Buffer.from(payload.buffer, payload.byteOffset, payload.length)),
  toJSON: (event) => TasksCreated.toJSON(event),
};

/** Writes the fields of the event. */
export function writeTasksCreated(writer: ByteWriter, { queue, firstNumber, tasks }: TasksCreated): void {
  writer.stringField(TAG.EVENT.QUEUE, queue);
  writer.numberField(TAG.EVENT.FIRST_NUMBER, Number(firstNumber));
  for (const task of tasks) {
    if (task instanceof PlainTask) writer.bytesField(TAG.EVENT.TASKS, task.bytes, task.at, task.end);
    else writer.bytesField(TAG.EVENT.TASKS, CreatedTask.encode(task).finish());
  }
}

function readTasksCreated(bytes: Buffer): TasksCreated {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const plain = new PlainTaskReader(bytes);
  const tasks: CreatedTask[] = [];
  let queue = '';
  let firstNumber = 0n;
  while (!reader.done) {
    const tag = bytes[reader.at] as number;
    reader.at += 1;
    if (tag === TAG.EVENT.FIRST_NUMBER) firstNumber = reader.int64();
    else if (tag === TAG.EVENT.QUEUE) queue = reader.string();
    else if (tag === TAG.EVENT.TASKS) {
      const length = reader.length();
      const { at } = reader;
      reader.at += length;
      tasks.push(plain.read(at, reader.at) ?? CreatedTask.decode(bytes.subarray(at, reader.at)));
    } else return TasksCreated.decode(bytes);
  }
  return { queue, firstNumber, tasks };
}

// ---- the response ----

/** Writes a CreateTasksResponse, result by result. */
export class TaskResultsWriter {
  private readonly writer: ByteWriter;
  private readonly prefix: Buffer;

  constructor(queue: string, results: number) {
    this.writer = new ByteWriter(64 + TYPICAL_RESULT_BYTES * results);
    this.prefix = Buffer.from(`${queue}/`, 'utf8');
  }

  /** The task was submitted just now. */
  submitted(number: number): void {
    const { writer, prefix } = this;
    const digits = String(number);
    const idLength = prefix.length + digits.length;
    // Ids have up to 112 bytes: every length is one byte.
    writer.reserve(idLength + 10);
    writer.byte(TAG.RESPONSE.RESULTS);
    writer.byte(idLength + 8);
    writer.byte(TAG.RESULT.TASK);
    writer.byte(idLength + 6);
    writer.byte(TAG.RECEIPT.TASK_ID);
    writer.byte(idLength);
    writer.raw(prefix, 0, prefix.length);
    for (let at = 0; at < digits.length; at += 1) writer.byte(digits.charCodeAt(at));
    writer.byte(TAG.RECEIPT.STATE);
    writer.byte(TaskState.TASK_STATE_SUBMITTED);
    writer.byte(TAG.RECEIPT.VERSION);
    writer.byte(1);
  }

  add(result: CreateTasksResult): void {
    this.writer.bytesField(TAG.RESPONSE.RESULTS, CreateTasksResult.encode(result).finish());
  }

  finish(positionToken: string): Buffer {
    const { writer } = this;
    writer.stringField(TAG.RESPONSE.POSITION_TOKEN, positionToken);
    return writer.bytes.subarray(0, writer.at);
  }
}
