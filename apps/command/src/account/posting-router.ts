/**
 * Takes a batch of postings to the partitions of its accounts and back: finds each posting's partition, submits each partition's share and
 * calls back when every share has its verdicts.
 */
import { keyHash, partitionOfHash } from '@sluice/domain';
import { keyedHashIn, requestHashIn, wordsIn, type Engine, type HashSeeds, type Partition } from '@sluice/engine';
import { ACCOUNT_ID_AT, ACCOUNT_ID_LENGTH, legsOf, OUTCOME_NONE, REQUEST_ID_AT, REQUEST_ID_LENGTH, STRIDE, type PostingBatch } from '@sluice/protocol/account';
import type { CallContext } from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';
import type { AccountState } from './account-state';
import { BATCH_TOO_LARGE, INVALID_REQUEST, NOT_OWNER, POSTING_TYPE_UNKNOWN } from './outcomes';
import { exactRecordBytesOf, partsThatFit, recordBytesOf } from './posting-record-size';
import { PostingSubmission, sizeOf } from './posting-submission';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = STRIDE;
const accountIdAt = ACCOUNT_ID_AT;
const accountIdLength = ACCOUNT_ID_LENGTH;
const requestIdAt = REQUEST_ID_AT;
const requestIdLength = REQUEST_ID_LENGTH;
const none = OUTCOME_NONE;
const hashAccount = keyedHashIn;
const hashRequest = requestHashIn;

/** Marks of a scan: what is wrong with single postings. */
export const SHAPE_ISSUES = {
  invalid(batch: PostingBatch, index: number, message: string): void {
    batch.outcomes[index] = INVALID_REQUEST;
    batch.messages.set(index, message);
  },
  unknownType(batch: PostingBatch, index: number): void {
    batch.outcomes[index] = POSTING_TYPE_UNKNOWN;
  },
};

/** A batch that was answered: which sequences the answers depend on. */
export type Positions = Map<number, number>;

export interface RoutedBatch {
  readonly batch: PostingBatch;
  /** Partition of all postings; -1: several. */
  readonly only: number;
}

/** Takes shares of a batch to the owners of partitions that are not ours. */
export interface PostingForwarding {
  /** Resolves when every posting of the share has its verdict, failures of the hop included; never rejects. */
  postings(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext): Promise<void>;
}

export class PostingRouter {
  constructor(
    private readonly engine: Engine,
    private readonly seeds: HashSeeds,
    /** Undefined: every partition is ours. */
    private readonly forwarding: PostingForwarding | undefined,
  ) {}

  /** Fills the routing columns. */
  route(batch: PostingBatch): RoutedBatch {
    const { bytes, fields, accountHashes, partitions, requestHashes, outcomes, count } = batch;
    const { partitionCount } = this.engine;
    const { seeds } = this;
    const words = wordsIn(bytes);
    let only = -2;
    let accountAt = 0;
    let accountLength = 0;
    let accountHash = 0;
    let partition = 0;
    for (let index = 0; index < count; index += 1) {
      if (outcomes[index] !== none) {
        partitions[index] = -1;
        continue;
      }
      const base = index * stride;
      const at = fields[base + accountIdAt] as number;
      const length = fields[base + accountIdLength] as number;
      if (length !== accountLength || !sameBytes(bytes, at, accountAt, length)) {
        accountHash = hashAccount(seeds, words, at, at + length);
        partition = partitionOfHash(keyHash(bytes, at, at + length), partitionCount);
        accountAt = at;
        accountLength = length;
      }
      accountHashes[index] = accountHash;
      partitions[index] = partition;
      if (only === -2) only = partition;
      else if (only !== partition) only = -1;
      const idAt = fields[base + requestIdAt] as number;
      hashRequest(seeds, accountHash, words, idAt, idAt + (fields[base + requestIdLength] as number), requestHashes, index * 2);
    }
    if (batch.legs !== undefined) routeTargets(batch, partitionCount, seeds);
    return { batch, only };
  }

  /** Submits every share; `done` is called once, when all have verdicts. */
  submit({ batch, only }: RoutedBatch, call: CallContext, done: (positions: Positions) => void): void {
    const positions: Positions = new Map();
    if (only === -2) {
      done(positions);
      return;
    }
    if (only !== -1) {
      call.awaitedPartition = only;
      this.submitShare(only, batch, undefined, positions, call, () => done(positions));
      return;
    }
    const shares = new Map<number, number[]>();
    for (let index = 0; index < batch.count; index += 1) {
      const partition = batch.partitions[index] as number;
      if (partition === -1) continue;
      const share = shares.get(partition);
      if (share === undefined) shares.set(partition, [index]);
      else share.push(index);
    }
    let open = shares.size;
    for (const [partition, indexes] of shares) {
      this.submitShare(partition, batch, indexes, positions, call, () => {
        open -= 1;
        if (open === 0) done(positions);
      });
    }
  }

  private submitShare(
    partition: number,
    batch: PostingBatch,
    indexes: readonly number[] | undefined,
    positions: Positions,
    call: CallContext,
    done: () => void,
  ): void {
    const owned = this.engine.partition(partition);
    if (owned === undefined || owned.state !== 'serving') {
      if (this.forwarding === undefined || owned !== undefined || call.forwarded) {
        failShare(batch, indexes, NOT_OWNER);
        done();
      } else {
        // The owner decides an atomic batch whole, with what is wrong in it: without that it would do the rest.
        void this.forwarding.postings(partition, batch, indexes ?? (batch.atomic ? every(batch) : undecided(batch)), positions, call).then(done);
      }
      return;
    }
    const { commitRoomBytes } = this.engine;
    const recordBytes = recordBytesOf(batch, indexes === undefined ? batch.bytes.length : sizeOf(batch, indexes), indexes?.length ?? batch.count);
    if (recordBytes > commitRoomBytes) {
      this.submitLarge(partition, batch, indexes ?? (batch.atomic ? every(batch) : undecided(batch)), positions, call, done);
      return;
    }
    this.submitTo(owned, batch, indexes, recordBytes, positions, call, done);
  }

  /** A share that may not fit one commit: an atomic batch that really does not is refused, any other is cut. */
  private submitLarge(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext, done: () => void): void {
    const { commitRoomBytes } = this.engine;
    const owned = this.engine.partition(partition) as Partition;
    if (batch.atomic) {
      const recordBytes = exactRecordBytesOf(batch, indexes);
      if (recordBytes <= commitRoomBytes) {
        this.submitTo(owned, batch, indexes, recordBytes, positions, call, done);
        return;
      }
      failShare(batch, indexes, BATCH_TOO_LARGE);
      done();
      return;
    }
    const parts = partsThatFit(batch, indexes, commitRoomBytes);
    let open = parts.length;
    const closed = (): void => {
      open -= 1;
      if (open === 0) done();
    };
    for (const part of parts) this.submitTo(owned, batch, part, recordBytesOf(batch, sizeOf(batch, part), part.length), positions, call, closed);
  }

  private submitTo(
    owned: Partition,
    batch: PostingBatch,
    indexes: readonly number[] | undefined,
    recordBytes: number,
    positions: Positions,
    call: CallContext,
    done: () => void,
  ): void {
    const { partition } = owned;
    const submission: PostingSubmission = new PostingSubmission(
      owned.stateOf('account') as AccountState,
      owned,
      batch,
      indexes,
      () => {
        if (submission.sequence > 0) positions.set(partition, Math.max(submission.sequence, positions.get(partition) ?? 0));
        if (submission.notOwner && this.forwarding !== undefined && !call.forwarded) {
          // The partition went to another instance meanwhile, which answers what was recorded and decides the rest.
          void this.forwarding.postings(partition, batch, indexes ?? (batch.atomic ? every(batch) : notOwned(batch)), positions, call).then(done);
        } else done();
      },
      activeTraceparent(),
      recordBytes,
    );
    submission.submit(call);
  }
}

/** Gives the postings of a share that have no verdict the outcome. */
export function failShare(batch: PostingBatch, indexes: readonly number[] | undefined, outcome: number): void {
  if (indexes !== undefined) for (const index of indexes) batch.outcomes[index] = outcome;
  else for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === none) batch.outcomes[index] = outcome;
}

/** Finds the partitions of the targets of transfers. */
function routeTargets(batch: PostingBatch, partitionCount: number, seeds: HashSeeds): void {
  const { bytes } = batch;
  const words = wordsIn(bytes);
  const { otherAccountAt, otherAccountHashes, otherPartitions } = legsOf(batch);
  let lastAt = 0;
  let lastLength = 0;
  let accountHash = 0;
  let partition = 0;
  for (let index = 0; index < batch.count; index += 1) {
    if (batch.outcomes[index] !== none) continue;
    const at = otherAccountAt[index * 2] as number;
    const length = otherAccountAt[index * 2 + 1] as number;
    if (length !== lastLength || !sameBytes(bytes, at, lastAt, length)) {
      accountHash = hashAccount(seeds, words, at, at + length);
      partition = partitionOfHash(keyHash(bytes, at, at + length), partitionCount);
      lastAt = at;
      lastLength = length;
    }
    otherAccountHashes[index] = accountHash;
    otherPartitions[index] = partition;
  }
}

function every(batch: PostingBatch): number[] {
  return Array.from({ length: batch.count }, (_, index) => index);
}

function undecided(batch: PostingBatch): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === OUTCOME_NONE) indexes.push(index);
  return indexes;
}

function notOwned(batch: PostingBatch): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === NOT_OWNER) indexes.push(index);
  return indexes;
}

function sameBytes(bytes: Uint8Array, left: number, right: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[left + index] !== bytes[right + index]) return false;
  return true;
}
