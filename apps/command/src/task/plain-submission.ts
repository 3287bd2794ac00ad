/** The submission of a plain task: nothing of it is decoded but what decides when it runs. */
import { DEFAULT_POLICY, type NewTask } from '@sluice/domain/task';
import type { PartitionServices, Turn } from '@sluice/engine';
import type { PlainTask } from '@sluice/protocol/task';
import { MAXIMUM_PAYLOAD_BYTES, MAXIMUM_PRIORITY } from './limits';
import type { QueueEntry } from './queue-entry';
import type { QueuesState } from './queues-state';
import { hashTaskRequestIn } from './request-hash';
import { refused } from './requests';
import { type Decided, submissionDigest, SubmittedVerdict, type TaskRequest } from './task-request';

/** What the log adds to the bytes of a task. */
const FRAME_BYTES = 192;

export class PlainSubmission implements TaskRequest, NewTask {
  readonly sizeBytes: number;

  constructor(
    readonly queue: string,
    readonly task: PlainTask,
  ) {
    this.sizeBytes = FRAME_BYTES + task.end - task.at;
  }

  get recordBytes(): number {
    return this.sizeBytes;
  }

  get requestId(): string {
    return this.task.requestId;
  }

  get bodyDigest(): Uint8Array {
    return submissionDigest(this.queue, this.requestId, this.task.spec);
  }

  get type(): string {
    return this.task.type;
  }

  get priority(): number {
    return this.task.priority;
  }

  get key(): string {
    return this.task.key;
  }

  get startAtUs(): number {
    return 0;
  }

  get policy(): typeof DEFAULT_POLICY {
    return DEFAULT_POLICY;
  }

  get dedupeKey(): string {
    return '';
  }

  hashId(seeds: PartitionServices['seeds'], queueHash: number): void {
    const { bytes, requestIdAt, requestIdEnd } = this.task;
    hashTaskRequestIn(seeds, queueHash, bytes, requestIdAt, requestIdEnd);
  }

  decide(turn: Turn, state: QueuesState, entry: QueueEntry): Decided {
    const rejection = state.refusalOf(entry, this);
    if (rejection !== undefined) return refused(rejection);
    return { verdict: new SubmittedVerdict(this.queue, state.create(turn, entry, this.task, this)), recorded: 'submission' };
  }
}

/** Whether the task is within the bounds of requests; else its submission is read, and refused, as any other. */
export function isWithinBounds({ payload, priority }: PlainTask): boolean {
  return payload.length <= MAXIMUM_PAYLOAD_BYTES && Math.abs(priority) <= MAXIMUM_PRIORITY;
}
