/** Requests of one caller for queues of one partition, on their way through a turn. */
import { taskIdOf } from '@sluice/domain/task';
import {
  lastHash,
  type RecordedRequests,
  RequestSubmission,
  type WantedRequests,
  type Partition,
  type RequestRefusal,
  type RequestVerdict,
  type Turn,
} from '@sluice/engine';
import { logEvents, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { taskEvents, taskpb } from '@sluice/protocol/task';
import type { QueuesState } from './queues-state';
import { ReceiptVerdict, submissionDigest, type TaskRequest } from './task-request';

/** A verdict takes this much of a commit beside its request: names, digest, pointer. */
const VERDICT_BYTES = 256;

export class TaskItem {
  /** Undefined: it waits. */
  verdict: RequestVerdict | undefined;
  repeated = false;
  hashFirst = 0;
  hashSecond = 0;

  /** @param queueHash `keyedHash` of the queue's name. */
  constructor(
    readonly request: TaskRequest,
    seeds: Partition['seeds'],
    readonly queueHash: number,
  ) {
    request.hashId(seeds, queueHash);
    this.hashFirst = lastHash.first;
    this.hashSecond = lastHash.second;
  }
}

/** A request that stands in a commit: what it was, and its answer. */
interface RecordedTaskRequest {
  digest(): Uint8Array;
  readonly verdict: RequestVerdict;
}

const DECIDED_TYPE = logEvents.written('RequestDecided').type;

/** Submissions are found in their own event; other requests in the verdict behind theirs. */
const recordedTaskRequests: RecordedRequests<RecordedTaskRequest> = {
  *search(commit, wanted) {
    for (const event of commit.events) {
      if (event.type === DECIDED_TYPE) searchDecided(event, commit, wanted);
      else searchCreated(event, commit, wanted);
      yield event.payload.length;
    }
  },
};

function searchCreated(event: EventRecord, commit: DecodedCommit, wanted: WantedRequests<RecordedTaskRequest>): void {
  const created = taskEvents.readOnly('TasksCreated', event, commit);
  const ids = created && wanted.idsOf(created.queue);
  if (created === undefined || ids === undefined) return;
  const { queue, firstNumber, tasks } = created;
  for (const [at, task] of tasks.entries()) {
    const { requestId } = task;
    if (requestId === '' || !ids.has(requestId)) continue;
    const { spec } = task;
    if (spec === undefined) continue;
    const verdict = receiptOf(taskIdOf(queue, Number(firstNumber) + at), taskpb.TaskState.TASK_STATE_SUBMITTED, 1);
    wanted.found(queue, requestId, { digest: () => submissionDigest(queue, requestId, spec), verdict });
  }
}

function searchDecided(event: EventRecord, commit: DecodedCommit, wanted: WantedRequests<RecordedTaskRequest>): void {
  const decided = logEvents.readOnly('RequestDecided', event, commit);
  if (decided?.capability !== 'task') return;
  const { key, requestId, reason, metadata, reply, bodyDigest } = decided;
  const verdict: RequestVerdict = reason === '' ? { kind: 'accepted', reply } : { kind: 'rejected', reason, metadata };
  wanted.found(key, requestId, { digest: () => bodyDigest, verdict });
}

export class TaskSubmission extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  private readonly state: QueuesState;

  constructor(
    partition: Partition,
    readonly items: readonly TaskItem[],
    done: () => void,
    traceparent?: string,
    /** Positions in the items; undefined: all. */
    private readonly indexes?: readonly number[],
  ) {
    super(partition, done, traceparent);
    this.state = partition.stateOf('task') as QueuesState;
    this.commandCount = indexes?.length ?? items.length;
    let sizeBytes = 0;
    let recordBytes = 0;
    for (let position = 0; position < this.commandCount; position += 1) {
      const { request } = this.item(this.itemAt(position));
      sizeBytes += request.sizeBytes;
      recordBytes += request.recordBytes + VERDICT_BYTES;
    }
    this.sizeBytes = sizeBytes;
    this.recordBytes = recordBytes;
    this.prepared = this.prepare();
  }

  *aggregates(): Generator<number> {
    for (let position = 0; position < this.commandCount; position += 1) yield this.item(this.itemAt(position)).queueHash;
  }

  itemAt(position: number): number {
    return this.indexes === undefined ? position : (this.indexes[position] as number);
  }

  private item(index: number): TaskItem {
    return this.items[index] as TaskItem;
  }

  protected isOpen(index: number): boolean {
    return this.item(index).verdict === undefined;
  }

  protected firstHash(index: number): number {
    return this.item(index).hashFirst;
  }

  protected secondHash(index: number): number {
    return this.item(index).hashSecond;
  }

  protected decideItems(turn: Turn): void {
    const { state } = this;
    state.begin(turn);
    for (let position = 0; position < this.commandCount; position += 1) {
      const index = this.itemAt(position);
      const item = this.item(index);
      if (item.verdict !== undefined || this.setAside(index, item.hashFirst, item.hashSecond)) continue;
      const { request } = item;
      const entry = state.entry(request.queue);
      const { verdict, recorded } = request.decide(turn, state, entry);
      item.verdict = verdict;
      if (recorded === 'no') {
        state.forgetIfNew(entry);
        continue;
      }
      if (recorded === 'verdict') state.decided(turn, entry, request.requestId, request.bodyDigest, verdict);
      state.remember(item.hashFirst, item.hashSecond, turn);
    }
  }

  protected async answerFrom(index: number, sequence: number): Promise<boolean> {
    const item = this.item(index);
    const { queue, requestId, bodyDigest } = item.request;
    const recorded = await this.state.services.commitSearch.find(recordedTaskRequests, sequence, queue, requestId);
    if (recorded === undefined) return false;
    if (Buffer.compare(recorded.digest(), bodyDigest) !== 0) {
      item.verdict = { kind: 'reused' };
      return true;
    }
    item.verdict = recorded.verdict;
    item.repeated = true;
    return true;
  }

  protected refuse(index: number, refusal: RequestRefusal, message?: string): void {
    const item = this.item(index);
    item.verdict = { kind: 'refused', refusal, ...(message === undefined ? undefined : { message }) };
    item.repeated = false;
  }

  protected again(indexes: readonly number[], done: () => void): TaskSubmission {
    return new TaskSubmission(this.partition, this.items, done, this.traceparent, indexes);
  }

  protected trouble(what: string, error: unknown): void {
    this.state.trouble(what, error);
  }
}

/** The reply of every command on a task. */
export function receiptOf(taskId: string, state: taskpb.TaskState, version: number, existing = false): ReceiptVerdict {
  return new ReceiptVerdict({ taskId, state, version, repeated: false, existing });
}
