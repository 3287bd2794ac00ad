/** CreateTasks and its event, read and written by hand: tasks that are plain stay bytes. The generated codec is the oracle (property test). */
import { CreateTasksRequest, CreateTasksResponse, CreateTasksResult, type TaskReceipt, TaskSubmission } from '../generated/sluice/task/v1/command_service';
import { CreatedTask, TasksCreated } from '../generated/sluice/task/v1/events';
import { TaskSpec, TaskState } from '../generated/sluice/task/v1/task';
import type { EventCodec } from '../events/event-definition';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import { PlainTask, PlainTaskReader } from './plain-task';

const TAG = {
  REQUEST: { QUEUE: 0x0a, TASKS: 0x12 },
  SUBMISSION: { REQUEST_ID: 0x0a, TASK: 0x12 },
  SPEC: { TYPE: 0x0a, PAYLOAD: 0x12, CONTENT_TYPE: 0x1a, DEDUPE_RULE: 0x58 },
  EVENT: { QUEUE: 0x0a, FIRST_NUMBER: 0x10, TASKS: 0x1a },
  RESPONSE: { RESULTS: 0x0a, POSITION_TOKEN: 0x12 },
  RESULT: { TASK: 0x0a },
  RECEIPT: { TASK_ID: 0x0a, STATE: 0x10, VERSION: 0x18 },
} as const;

/** What most tasks, and results of them, take at most; more is made room for. */
const TYPICAL_TASK_BYTES = 160;
const TYPICAL_RESULT_BYTES = 32;
/** A varint from here on has more than one byte. */
const LONG_VARINT = 0x80;

// ---- the request ----

/** A CreateTasksRequest whose plain tasks are not decoded. */
export interface TaskBatch extends Pick<CreateTasksRequest, 'queue'> {
  /** The whole message. */
  readonly bytes: Buffer;
  readonly tasks: readonly (PlainTask | TaskSubmission)[];
}

/** Reads a CreateTasksRequest. Throws what the generated codec throws for bytes that are none. */
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

/** Encodes a CreateTasksRequest. */
export function writeTaskBatch({ queue, tasks }: CreateTasksRequest): Buffer {
  const writer = new ByteWriter(64 + TYPICAL_TASK_BYTES * tasks.length);
  writer.stringField(TAG.REQUEST.QUEUE, queue);
  for (const { requestId, task } of tasks) {
    const submission = writer.open(TAG.REQUEST.TASKS);
    writer.stringField(TAG.SUBMISSION.REQUEST_ID, requestId);
    if (task !== undefined) writeSpec(writer, task);
    writer.close(submission);
  }
  return writer.bytes.subarray(0, writer.at);
}

/** The fields that most specifications have are written by hand. Lengths are as short as can be: a padded one would not be plain. */
function writeSpec(writer: ByteWriter, spec: TaskSpec): void {
  const { type, payload, contentType, dedupeRule } = spec;
  if (!saysLittle(spec)) {
    writer.bytesField(TAG.SUBMISSION.TASK, TaskSpec.encode(spec).finish());
    return;
  }
  writer.reserve(5);
  writer.byte(TAG.SUBMISSION.TASK);
  const ruleBytes = dedupeRule === 0 ? 0 : 2;
  writer.varint(fieldBytes(Buffer.byteLength(type)) + fieldBytes(payload.length) + fieldBytes(Buffer.byteLength(contentType)) + ruleBytes);
  writer.stringField(TAG.SPEC.TYPE, type);
  if (payload.length > 0) writer.bytesField(TAG.SPEC.PAYLOAD, payload);
  writer.stringField(TAG.SPEC.CONTENT_TYPE, contentType);
  writer.numberField(TAG.SPEC.DEDUPE_RULE, dedupeRule);
}

function saysLittle({ priority, key, delayMs, startAt, limits, retry, dedupeKey, dedupeRule, labels, parentTaskId }: TaskSpec): boolean {
  if (priority !== 0 || key !== '' || delayMs !== 0 || dedupeKey !== '' || dedupeRule < 0 || dedupeRule >= LONG_VARINT || parentTaskId !== '') return false;
  if (startAt !== undefined || limits !== undefined || retry !== undefined) return false;
  for (const _name in labels) return false;
  return true;
}

/** What a field of so many bytes takes; nothing for none. */
function fieldBytes(length: number): number {
  if (length === 0) return 0;
  let bytes = 2 + length;
  for (let rest = length; rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
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
    if (task instanceof PlainTask) {
      writer.reserve(8);
      writer.byte(TAG.EVENT.TASKS);
      writer.varint(task.end - task.at);
      writer.raw(task.bytes, task.at, task.end);
    } else writer.bytesField(TAG.EVENT.TASKS, CreatedTask.encode(task).finish());
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

/** Reads a CreateTasksResponse. */
export function readTaskResults(bytes: Buffer): CreateTasksResponse {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const results: CreateTasksResult[] = [];
  let positionToken = '';
  while (!reader.done) {
    const tag = bytes[reader.at] as number;
    reader.at += 1;
    if (tag === TAG.RESPONSE.POSITION_TOKEN) positionToken = reader.string();
    else if (tag === TAG.RESPONSE.RESULTS) {
      const length = reader.length();
      const { at } = reader;
      reader.at += length;
      const task = submittedReceipt(bytes, at, reader.at);
      results.push(task === undefined ? CreateTasksResult.decode(bytes.subarray(at, reader.at)) : { task, error: undefined });
    } else return CreateTasksResponse.decode(bytes);
  }
  return { results, positionToken };
}

/** What `submitted` writes; undefined: it is another result. */
function submittedReceipt(bytes: Buffer, at: number, end: number): TaskReceipt | undefined {
  const idLength = end - at - 8;
  if (idLength <= 0 || idLength > 0x70 || bytes[at] !== TAG.RESULT.TASK || bytes[at + 1] !== idLength + 6) return undefined;
  if (bytes[at + 2] !== TAG.RECEIPT.TASK_ID || bytes[at + 3] !== idLength || bytes[end - 4] !== TAG.RECEIPT.STATE) return undefined;
  if (bytes[end - 3] !== TaskState.TASK_STATE_SUBMITTED || bytes[end - 2] !== TAG.RECEIPT.VERSION || bytes[end - 1] !== 1) return undefined;
  const taskId = bytes.toString('utf8', at + 4, end - 4);
  return { taskId, state: TaskState.TASK_STATE_SUBMITTED, version: 1, repeated: false, existing: false };
}
