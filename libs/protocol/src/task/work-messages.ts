/**
 * What the server sends to a worker, with plain tasks as the bytes that stand in the log. Everything else of it goes through the generated codec, which is as
 * fast for what has to be read anyway.
 */
import type { TaskSpec } from '../generated/sluice/task/v1/task';
import { AssignedTask, WorkResponse } from '../generated/sluice/task/v1/worker_service';
import { ByteWriter } from '../wire/byte-writer';
import type { PlainTask } from './plain-task';

const TASKS_TAG = 0x12;
const TAG = { TASK_ID: 0x0a, LEASE_TOKEN: 0x12, ATTEMPT: 0x18, SPEC: 0x22, TIME_LEFT: 0x28, HEARTBEAT_EVERY: 0x30 } as const;
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

export function writeWorkResponse(response: WorkResponse): Buffer {
  const { tasks } = response;
  const rest = WorkResponse.encode({ ...response, tasks: [] }).finish();
  const writer = new ByteWriter(rest.length + TYPICAL_BYTES * (tasks.length + 1));
  writer.raw(rest, 0, rest.length);
  for (const task of tasks) {
    if (task instanceof AssignedPlainTask) writeAssigned(writer, task);
    else writer.bytesField(TASKS_TAG, AssignedTask.encode(task).finish());
  }
  return writer.bytes.subarray(0, writer.at);
}

function writeAssigned(writer: ByteWriter, { taskId, leaseToken, attempt, plain, timeLeftMs, heartbeatEveryMs }: AssignedPlainTask): void {
  const task = writer.open(TASKS_TAG);
  writer.stringField(TAG.TASK_ID, taskId);
  writer.stringField(TAG.LEASE_TOKEN, leaseToken);
  writer.numberField(TAG.ATTEMPT, attempt);
  writer.bytesField(TAG.SPEC, plain.bytes, plain.specAt, plain.end);
  writer.numberField(TAG.TIME_LEFT, timeLeftMs);
  writer.numberField(TAG.HEARTBEAT_EVERY, heartbeatEveryMs);
  writer.close(task);
}
