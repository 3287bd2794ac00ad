/** A request of a caller on its way to a queue. It has an id that is unique in its queue, and one answer for ever. */
import { taskIdOf } from '@sluice/domain/task';
import type { PartitionServices, RequestVerdict, Turn } from '@sluice/engine';
import { requestDigest, type MessageEncoder } from '@sluice/protocol';
import { taskpb } from '@sluice/protocol/task';
import type { QueueEntry } from './queue-entry';
import type { QueuesState } from './queues-state';

/** What a request that is new comes to. */
export interface Decided {
  readonly verdict: RequestVerdict;
  /** How repeats find it: in the event of the submission, or in a verdict of its own; no: the same request may pass when it comes again. */
  readonly recorded: 'submission' | 'verdict' | 'no';
}

export interface TaskRequest {
  readonly requestId: string;
  readonly queue: string;
  readonly sizeBytes: number;
  /** What it records at most. */
  readonly recordBytes: number;
  /** 16 bytes. */
  readonly bodyDigest: Uint8Array;
  /** Hashes its id within its queue into `lastHash`. @param queueHash `keyedHash` of the queue's name. */
  hashId(seeds: PartitionServices['seeds'], queueHash: number): void;
  decide(turn: Turn, state: QueuesState, entry: QueueEntry): Decided;
}

/** Digest of a submission: the same for CreateTask and for an item of CreateTasks. */
export function submissionDigest(queue: string, requestId: string, task: taskpb.TaskSpec): Uint8Array {
  return requestDigest('sluice.task.v1.CreateTaskRequest', taskpb.CreateTaskRequest, { requestId, queue, task });
}

/** A task's receipt as a verdict. It is encoded when it is recorded or answered by itself: in bulk its fields are answered as they are. */
export class ReceiptVerdict {
  readonly kind = 'accepted';

  constructor(readonly receipt: taskpb.TaskReceipt) {}

  get reply(): Uint8Array {
    return taskpb.TaskReceipt.encode(this.receipt).finish();
  }
}

/** The verdict on a submission that made a task. */
export class SubmittedVerdict {
  readonly kind = 'accepted';

  constructor(
    private readonly queue: string,
    readonly number: number,
  ) {}

  get receipt(): taskpb.TaskReceipt {
    return { taskId: taskIdOf(this.queue, this.number), state: taskpb.TaskState.TASK_STATE_SUBMITTED, version: 1, repeated: false, existing: false };
  }

  get reply(): Uint8Array {
    return taskpb.TaskReceipt.encode(this.receipt).finish();
  }
}

export function accepted<Reply>(encoder: MessageEncoder<Reply>, reply: Reply): RequestVerdict {
  return { kind: 'accepted', reply: encoder.encode(reply).finish() };
}

export function rejected(reason: string): RequestVerdict {
  return { kind: 'rejected', reason, metadata: {} };
}
