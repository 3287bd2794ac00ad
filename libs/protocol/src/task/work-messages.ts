/**
 * The messages of a worker's stream, read and written by hand: tasks, completions and verdicts, of which a message has thousands. Everything else of them goes
 * through the generated codec, which is the oracle of this one (property test).
 */
import { TaskResult, type TaskSpec } from '../generated/sluice/task/v1/task';
import { AssignedTask, type Completion, type Lease, type ReportVerdict, WorkRequest, WorkResponse } from '../generated/sluice/task/v1/worker_service';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import { type PlainTask, readSpec } from './plain-task';

const REQUEST = { COMPLETIONS: 0x1a } as const;
const COMPLETION = { LEASE: 0x0a, RESULT: 0x12, RAN_US: 0x18 } as const;
const LEASE = { TASK_ID: 0x0a, LEASE_TOKEN: 0x12 } as const;
const RESPONSE = { TASKS: 0x12, VERDICTS: 0x22 } as const;
const VERDICT = { LEASE: 0x0a, REASON: 0x12 } as const;
const ASSIGNED = { TASK_ID: 0x0a, LEASE_TOKEN: 0x12, ATTEMPT: 0x18, SPEC: 0x22, TIME_LEFT: 0x28, HEARTBEAT_EVERY: 0x30 } as const;
const TYPICAL_BYTES = 128;

/** A task for a worker whose specification is bytes of the log. */
export class AssignedPlainTask implements AssignedTask {
  constructor(
    readonly taskId: string,
    readonly leaseToken: string,
    readonly attempt: number,
    readonly plain: PlainTask,
    readonly timeLeftMs: number,
    readonly heartbeatEveryMs: number,
  ) {}

  get spec(): TaskSpec {
    return this.plain.spec;
  }

  get scheduleId(): string {
    return '';
  }

  get scheduledAt(): undefined {
    return undefined;
  }

  get retryOf(): string {
    return '';
  }
}

// ---- requests ----

export function writeWorkRequest(request: WorkRequest): Buffer {
  const { completions } = request;
  const rest = WorkRequest.encode({ ...request, completions: [] }).finish();
  const writer = new ByteWriter(rest.length + TYPICAL_BYTES * (completions.length + 1));
  writer.raw(rest, 0, rest.length);
  for (const { lease, result, ranUs } of completions) {
    const completion = writer.open(REQUEST.COMPLETIONS);
    if (lease !== undefined) writeLease(writer, COMPLETION.LEASE, lease);
    if (result !== undefined) writer.bytesField(COMPLETION.RESULT, TaskResult.encode(result).finish());
    writer.numberField(COMPLETION.RAN_US, Number(ranUs));
    writer.close(completion);
  }
  return writer.bytes.subarray(0, writer.at);
}

export function readWorkRequest(bytes: Buffer): WorkRequest {
  const completions: Completion[] = [];
  const rest = readRest(bytes, REQUEST.COMPLETIONS, (reader) => completions.push(readCompletion(reader)));
  return { ...WorkRequest.decode(rest), completions };
}

function readCompletion(reader: ByteReader): Completion {
  const completion: Completion = { lease: undefined, result: undefined, ranUs: 0n };
  while (!reader.done) {
    const tag = reader.varint();
    // Once only: what comes twice is merged by some codecs.
    if (tag === COMPLETION.LEASE) completion.lease = readLease(reader);
    else if (tag === COMPLETION.RESULT) completion.result = TaskResult.decode(reader.view());
    else if (tag === COMPLETION.RAN_US) completion.ranUs = reader.int64();
    else reader.skip(tag & 7);
  }
  return completion;
}

// ---- responses ----

export function writeWorkResponse(response: WorkResponse): Buffer {
  const { tasks, verdicts } = response;
  const rest = WorkResponse.encode({ ...response, tasks: [], verdicts: [] }).finish();
  const writer = new ByteWriter(rest.length + TYPICAL_BYTES * (tasks.length + verdicts.length + 1));
  writer.raw(rest, 0, rest.length);
  for (const task of tasks) {
    if (task instanceof AssignedPlainTask) writeAssigned(writer, task);
    else writer.bytesField(RESPONSE.TASKS, AssignedTask.encode(task).finish());
  }
  for (const { lease, reason } of verdicts) {
    const verdict = writer.open(RESPONSE.VERDICTS);
    if (lease !== undefined) writeLease(writer, VERDICT.LEASE, lease);
    writer.stringField(VERDICT.REASON, reason);
    writer.close(verdict);
  }
  return writer.bytes.subarray(0, writer.at);
}

function writeAssigned(writer: ByteWriter, { taskId, leaseToken, attempt, plain, timeLeftMs, heartbeatEveryMs }: AssignedPlainTask): void {
  const task = writer.open(RESPONSE.TASKS);
  writer.stringField(ASSIGNED.TASK_ID, taskId);
  writer.stringField(ASSIGNED.LEASE_TOKEN, leaseToken);
  writer.numberField(ASSIGNED.ATTEMPT, attempt);
  writer.reserve(8);
  writer.byte(ASSIGNED.SPEC);
  writer.varint(plain.end - plain.specAt);
  writer.raw(plain.bytes, plain.specAt, plain.end);
  writer.numberField(ASSIGNED.TIME_LEFT, timeLeftMs);
  writer.numberField(ASSIGNED.HEARTBEAT_EVERY, heartbeatEveryMs);
  writer.close(task);
}

export function readWorkResponse(bytes: Buffer): WorkResponse {
  const tasks: AssignedTask[] = [];
  const verdicts: ReportVerdict[] = [];
  const withoutTasks = readRest(bytes, RESPONSE.TASKS, (reader) => tasks.push(readAssigned(bytes, reader)));
  const rest = readRest(withoutTasks, RESPONSE.VERDICTS, (reader) => verdicts.push(readVerdict(reader)));
  return { ...WorkResponse.decode(rest), tasks, verdicts };
}

function readAssigned(bytes: Buffer, reader: ByteReader): AssignedTask {
  const from = reader.at;
  const task = { taskId: '', leaseToken: '', attempt: 0, spec: undefined as TaskSpec | undefined, timeLeftMs: 0, heartbeatEveryMs: 0 };
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case ASSIGNED.TASK_ID:
        task.taskId = reader.string();
        break;
      case ASSIGNED.LEASE_TOKEN:
        task.leaseToken = reader.string();
        break;
      case ASSIGNED.ATTEMPT:
        task.attempt = reader.varint();
        break;
      case ASSIGNED.SPEC: {
        const length = reader.length();
        task.spec = readSpec(bytes, reader.at, reader.at + length);
        reader.at += length;
        break;
      }
      case ASSIGNED.TIME_LEFT:
        task.timeLeftMs = reader.varint();
        break;
      case ASSIGNED.HEARTBEAT_EVERY:
        task.heartbeatEveryMs = reader.varint();
        break;
      default:
        // It has what few tasks have.
        return AssignedTask.decode(bytes.subarray(from, reader.end));
    }
  }
  return { ...task, scheduleId: '', scheduledAt: undefined, retryOf: '' };
}

function readVerdict(reader: ByteReader): ReportVerdict {
  const verdict: ReportVerdict = { lease: undefined, reason: '' };
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === VERDICT.LEASE) verdict.lease = readLease(reader);
    else if (tag === VERDICT.REASON) verdict.reason = reader.string();
    else reader.skip(tag & 7);
  }
  return verdict;
}

// ---- parts ----

function writeLease(writer: ByteWriter, tag: number, { taskId, leaseToken }: Lease): void {
  const lease = writer.open(tag);
  writer.stringField(LEASE.TASK_ID, taskId);
  writer.stringField(LEASE.LEASE_TOKEN, leaseToken);
  writer.close(lease);
}

function readLease(reader: ByteReader): Lease {
  const lease = { taskId: '', leaseToken: '' };
  const length = reader.length();
  const { end } = reader;
  reader.end = reader.at + length;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === LEASE.TASK_ID) lease.taskId = reader.string();
    else if (tag === LEASE.LEASE_TOKEN) lease.leaseToken = reader.string();
    else reader.skip(tag & 7);
  }
  reader.end = end;
  return lease;
}

/** Reads every field of the tag as a message. @returns the other fields, as they came. */
function readRest(bytes: Buffer, wanted: number, read: (reader: ByteReader) => void): Buffer {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const rest: Buffer[] = [];
  let restAt = 0;
  while (!reader.done) {
    const from = reader.at;
    const tag = reader.varint();
    if (tag !== wanted) {
      reader.skip(tag & 7);
      continue;
    }
    const end = reader.length() + reader.at;
    if (restAt < from) rest.push(bytes.subarray(restAt, from));
    reader.end = end;
    read(reader);
    reader.end = bytes.length;
    reader.at = end;
    restAt = end;
  }
  if (restAt === 0) return bytes;
  if (restAt < bytes.length) rest.push(bytes.subarray(restAt));
  return rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest);
}
