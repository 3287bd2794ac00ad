/** Requests of one caller for ordinary aggregates of one partition, on their way through a turn. */
import type { Turn } from '../partition/turn';
import type { Partition } from '../partition/partition';
import type { HashSeeds } from '../request-index/request-hash';
import { RequestSubmission, type RequestRefusal } from '../requests/request-submission';
import type { AnyAggregate, RequestBody } from './aggregate-definition';
import { aggregateKey, type AggregateKey } from './aggregate-kind';
import type { AggregateState } from './aggregate-state';
import { nameKey, recordedRequests, type RequestVerdict } from './recorded-requests';
import { requestIdHash } from './request-id-hash';

/** A verdict takes this much of a commit beside its request: names, digest, pointer. */
const VERDICT_BYTES = 256;

export interface AggregateRequest {
  /** Which of the capability's kinds of aggregates. */
  readonly aggregate: string;
  readonly key: AggregateKey;
  readonly requestId: string;
  readonly command: unknown;
  readonly bodyDigest: Uint8Array;
  readonly hashFirst: number;
  readonly hashSecond: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  /** Undefined: it waits. */
  verdict: RequestVerdict | undefined;
  repeated: boolean;
}

export function aggregateRequest(definition: AnyAggregate, body: RequestBody<unknown>, seeds: HashSeeds): AggregateRequest {
  const key = aggregateKey(seeds, body.key);
  const { first, second } = requestIdHash(seeds, definition, key, body.requestId);
  return {
    aggregate: definition.aggregate,
    key,
    requestId: body.requestId,
    command: body.command,
    bodyDigest: body.digest(),
    hashFirst: first,
    hashSecond: second,
    sizeBytes: body.sizeBytes,
    recordBytes: body.recordBytes + VERDICT_BYTES,
    verdict: undefined,
    repeated: false,
  };
}

export class AggregateSubmission extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  private readonly state: AggregateState;

  constructor(
    partition: Partition,
    private readonly capability: string,
    readonly requests: readonly AggregateRequest[],
    done: () => void,
    traceparent?: string,
    /** Positions in the requests; undefined: all. */
    private readonly indexes?: readonly number[],
  ) {
    super(partition, done, traceparent);
    this.state = partition.stateOf(capability) as AggregateState;
    this.commandCount = indexes?.length ?? requests.length;
    let sizeBytes = 0;
    let recordBytes = 0;
    for (let position = 0; position < this.commandCount; position += 1) {
      const request = this.request(this.itemAt(position));
      sizeBytes += request.sizeBytes;
      recordBytes += request.recordBytes;
    }
    this.sizeBytes = sizeBytes;
    this.recordBytes = recordBytes;
    this.prepared = this.prepare();
  }

  *aggregates(): Generator<number> {
    for (let position = 0; position < this.commandCount; position += 1) yield this.request(this.itemAt(position)).key.hash;
  }

  itemAt(position: number): number {
    return this.indexes === undefined ? position : (this.indexes[position] as number);
  }

  private request(item: number): AggregateRequest {
    return this.requests[item] as AggregateRequest;
  }

  protected isOpen(item: number): boolean {
    return this.request(item).verdict === undefined;
  }

  protected firstHash(item: number): number {
    return this.request(item).hashFirst;
  }

  protected secondHash(item: number): number {
    return this.request(item).hashSecond;
  }

  protected decideItems(turn: Turn): void {
    for (let position = 0; position < this.commandCount; position += 1) {
      const item = this.itemAt(position);
      const request = this.request(item);
      if (request.verdict !== undefined || this.setAside(item, request.hashFirst, request.hashSecond)) continue;
      request.verdict = this.state.decide(turn, request);
    }
  }

  protected async answerFrom(item: number, sequence: number): Promise<boolean> {
    const request = this.request(item);
    const name = { capability: this.capability, aggregate: request.aggregate, key: request.key.text };
    const recorded = await this.state.commitSearch.find(recordedRequests, sequence, nameKey(name), request.requestId);
    if (recorded === undefined) return false;
    const isSame = Buffer.compare(recorded.bodyDigest, request.bodyDigest) === 0;
    request.verdict = isSame ? recorded.verdict : { kind: 'reused' };
    request.repeated = isSame;
    return true;
  }

  protected refuse(item: number, refusal: RequestRefusal, message?: string): void {
    const request = this.request(item);
    request.verdict = { kind: 'refused', refusal, ...(message === undefined ? undefined : { message }) };
    request.repeated = false;
  }

  protected again(items: readonly number[], done: () => void): AggregateSubmission {
    return new AggregateSubmission(this.partition, this.capability, this.requests, done, this.traceparent, items);
  }

  protected trouble(what: string, error: unknown): void {
    this.state.trouble(what, error);
  }
}
