/** Verdicts of postings and commands in a commit, by account and request id. */
import type { RecordedRequests, WantedRequests } from '@sluice/engine';
import { canonicalBytes, ByteReader, type EventHandlersOf } from '@sluice/protocol';
import {
  accountEvents,
  accountpb,
  HOLD_ID_LENGTH_AND_FLAGS,
  isEngineMade,
  OUTCOME_ACCEPTED,
  postingsRecordedIn,
  REQUEST_ID_AT,
  REQUEST_ID_LENGTH,
  scanRecordedPostings,
  SIGNED_FLAG,
  STRIDE,
  TYPE,
  type AccountPostingsHeader,
  type PostingBatch,
} from '@sluice/protocol/account';

const WIRE_VARINT = 0;
/** What an account of which nothing is wanted costs, in bytes that are searched. */
const ACCOUNT_HEADER_BYTES = 64;
/** Of a request id, for telling ids apart. */
const END_BYTES = 3;

export interface RecordedPostingVerdict {
  readonly kind: 'posting';
  /** The encoded Posting as it came. */
  readonly body: Uint8Array;
  readonly isSigned: boolean;
  readonly outcome: number;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** 0: refused. */
  readonly entryNumber: number;
}

export interface RecordedCommandVerdict {
  readonly kind: 'command';
  readonly bodyDigest: Uint8Array;
  /** Undefined: accepted. */
  readonly outcome: number;
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  readonly status: accountpb.AccountStatus;
  readonly version: number;
  readonly signingKeyId: string;
}

export type RecordedVerdict = RecordedPostingVerdict | RecordedCommandVerdict;

/** Postings and commands, wherever accounts record them. */
export const recordedVerdicts: RecordedRequests<RecordedVerdict> = {
  *search(commit, wanted) {
    for (const event of commit.events) {
      if (!accountEvents.owns(event.type)) continue;
      const rest = accountEvents.read(event, commit, VERDICTS, wanted);
      if (rest === undefined) yield event.payload.length;
      else yield* rest;
    }
  },
};

type Wanted = WantedRequests<RecordedVerdict>;

const VERDICTS: EventHandlersOf<typeof accountEvents, Wanted, Iterable<number> | undefined> = {
  PostingsRecorded: (payload, wanted) => searchPostings(payload, wanted),
  AccountOpened: ({ accountId, requestId, bodyDigest, signingKeyId }, wanted) => {
    wanted.found(accountId, requestId, {
      kind: 'command',
      bodyDigest,
      outcome: OUTCOME_ACCEPTED,
      balanceMinor: 0n,
      heldMinor: 0n,
      status: accountpb.AccountStatus.ACCOUNT_STATUS_OPEN,
      version: 1,
      signingKeyId,
    });
  },
  AccountUpdated: (updated, wanted) => {
    wanted.found(updated.accountId, updated.requestId, changed(updated));
  },
  AccountStatusChanged: (statusChanged, wanted) => {
    wanted.found(statusChanged.accountId, statusChanged.requestId, changed(statusChanged));
  },
  BranchDaySet: () => undefined,
  BranchDaySealed: () => undefined,
  AccountsRolled: () => undefined,
  InterestAccrued: () => undefined,
  TermBegun: () => undefined,
  TermEnded: () => undefined,
  BranchDayTotalled: () => undefined,
  AccountCommandRejected: ({ accountId, requestId, bodyDigest, rejection }, wanted) => {
    wanted.found(accountId, requestId, {
      kind: 'command',
      bodyDigest,
      outcome: rejection,
      balanceMinor: 0n,
      heldMinor: 0n,
      status: accountpb.AccountStatus.ACCOUNT_STATUS_UNSPECIFIED,
      version: 0,
      signingKeyId: '',
    });
  },
  // The verdict on a transfer is that on its debit.
  TransfersRecorded: () => undefined,
  TransfersSettled: () => undefined,
};

function changed(event: accountpb.AccountUpdated | accountpb.AccountStatusChanged): RecordedCommandVerdict {
  return {
    kind: 'command',
    bodyDigest: event.bodyDigest,
    outcome: OUTCOME_ACCEPTED,
    balanceMinor: event.balanceMinor,
    heldMinor: event.heldMinor,
    status: event.status,
    version: Number(event.version),
    signingKeyId: event.answeredSigningKeyId,
  };
}

/** Account by account: those of which nothing is wanted are passed over. */
function* searchPostings(payload: Uint8Array, wanted: Wanted): Generator<number> {
  for (const { postings, bytes } of postingsRecordedIn(payload)) {
    const ids = wanted.idsOf(postings.accountId);
    if (ids === undefined) {
      yield ACCOUNT_HEADER_BYTES;
      continue;
    }
    const batch = scanRecordedPostings(postings.requests);
    try {
      readVerdicts(postings, batch, wantedPositions(batch, ids.keys()), wanted);
    } finally {
      batch.release();
    }
    yield bytes.length;
  }
}

/** Positions of the postings whose request id is one of these, in order. */
function wantedPositions(batch: PostingBatch, requestIds: Iterable<string>): number[] {
  const ids = new Set<string>();
  /** Length and end of an id: tells nearly all others apart without making a string. */
  const ends = new Set<number>();
  for (const id of requestIds) {
    const bytes = Buffer.from(id, 'utf8');
    ids.add(id);
    ends.add(endOf(bytes, 0, bytes.length));
  }
  const positions: number[] = [];
  for (let position = 0; position < batch.count; position += 1) {
    const base = position * STRIDE;
    const { fields } = batch;
    if (!ends.has(endOf(batch.bytes, fields[base + REQUEST_ID_AT] as number, fields[base + REQUEST_ID_LENGTH] as number))) continue;
    if (isEngineMade(fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number, fields[base + TYPE] as number)) continue;
    if (ids.has(batch.requestId(position))) positions.push(position);
  }
  return positions;
}

function endOf(bytes: Uint8Array, at: number, length: number): number {
  let end = length;
  for (let index = Math.max(0, length - END_BYTES); index < length; index += 1) end = (end << 8) | (bytes[at + index] as number);
  return end;
}

function readVerdicts(postings: AccountPostingsHeader, batch: PostingBatch, wantedAt: readonly number[], wanted: Wanted): void {
  const balances = new ByteReader(postings.balancesAfter, 0, postings.balancesAfter.length);
  const holds = new ByteReader(postings.holdsAfter, 0, postings.holdsAfter.length);
  const positions = new ByteReader(postings.rejectedPositions, 0, postings.rejectedPositions.length);
  const reasons = new ByteReader(postings.rejections, 0, postings.rejections.length);
  const hasHolds = !holds.done;
  let rejectedBefore = 0;
  let nextRejected = positions.done ? -1 : positions.varint();
  let at = 0;
  for (const position of wantedAt) {
    for (; at < position; at += 1) {
      balances.skip(WIRE_VARINT);
      if (hasHolds) holds.skip(WIRE_VARINT);
    }
    at += 1;
    for (; nextRejected !== -1 && nextRejected < position; rejectedBefore += 1) {
      reasons.skip(WIRE_VARINT);
      nextRejected = positions.done ? -1 : positions.varint();
    }
    const isRejected = nextRejected === position;
    const outcome = isRejected ? reasons.varint() : OUTCOME_ACCEPTED;
    const entryNumber = isRejected ? 0 : postings.entriesBefore + position - rejectedBefore + 1;
    if (isRejected) {
      rejectedBefore += 1;
      nextRejected = positions.done ? -1 : positions.varint();
    }
    wanted.found(postings.accountId, batch.requestId(position), {
      kind: 'posting',
      body: batch.body(position),
      isSigned: ((batch.fields[position * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & SIGNED_FLAG) !== 0,
      outcome,
      balanceAfterMinor: balances.sint64(),
      heldAfterMinor: hasHolds ? holds.sint64() : postings.heldBeforeMinor,
      entryNumber,
    });
  }
}

/** Whether two encoded postings ask for the same, whatever their signature. */
export function samePosting(first: Uint8Array, second: Uint8Array): boolean {
  if (Buffer.compare(first, second) === 0) return true;
  return Buffer.compare(canonical(first), canonical(second)) === 0;
}

/** Whether two encoded postings have the same signature, or none. */
export function hasSameSignature(first: Uint8Array, second: Uint8Array): boolean {
  return Buffer.compare(accountpb.Posting.decode(first).signature, accountpb.Posting.decode(second).signature) === 0;
}

function canonical(body: Uint8Array): Uint8Array {
  return canonicalBytes(accountpb.Posting, { ...accountpb.Posting.decode(body), signature: Buffer.alloc(0), signedAtUs: 0n });
}
