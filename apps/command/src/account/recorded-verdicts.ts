/** Verdicts of postings and commands in a commit, by account and request id. */
import { RecordedVerdicts, verdictKey } from '@sluice/engine';
import {
  accountEvents,
  accountpb,
  canonicalBytes,
  HOLD_ID_LENGTH_AND_FLAGS,
  isEngineMade,
  OUTCOME_ACCEPTED,
  postingsRecordedIn,
  scanRecordedPostings,
  STRIDE,
  TYPE,
  type AccountPostingsHeader,
  ByteReader,
  type EventHandlersOf,
} from '@sluice/protocol';

export interface RecordedPostingVerdict {
  readonly kind: 'posting';
  /** The encoded Posting as it came. */
  readonly body: Uint8Array;
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

/** Throws UnknownEventError for an event of accounts that this version does not know. */
export const recordedVerdicts = new RecordedVerdicts<RecordedVerdict>((commit, verdicts) => {
  for (const event of commit.events) if (accountEvents.owns(event.type)) accountEvents.read(event, commit, VERDICTS, verdicts);
});

type Verdicts = Map<string, RecordedVerdict>;

const VERDICTS: EventHandlersOf<typeof accountEvents, Verdicts, void> = {
  PostingsRecorded: (payload, verdicts) => {
    for (const { postings } of postingsRecordedIn(payload)) collectPostings(postings, verdicts);
  },
  AccountOpened: ({ accountId, requestId, bodyDigest, signingKeyId }, verdicts) => {
    verdicts.set(verdictKey(accountId, requestId), {
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
  AccountUpdated: (updated, verdicts) => {
    verdicts.set(verdictKey(updated.accountId, updated.requestId), changed(updated));
  },
  AccountStatusChanged: (statusChanged, verdicts) => {
    verdicts.set(verdictKey(statusChanged.accountId, statusChanged.requestId), changed(statusChanged));
  },
  AccountCommandRejected: ({ accountId, requestId, bodyDigest, rejection }, verdicts) => {
    verdicts.set(verdictKey(accountId, requestId), {
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

function collectPostings(postings: AccountPostingsHeader, verdicts: Map<string, RecordedVerdict>): void {
  const batch = scanRecordedPostings(postings.requests);
  const balances = new ByteReader(postings.balancesAfter, 0, postings.balancesAfter.length);
  const holds = new ByteReader(postings.holdsAfter, 0, postings.holdsAfter.length);
  const positions = new ByteReader(postings.rejectedPositions, 0, postings.rejectedPositions.length);
  const reasons = new ByteReader(postings.rejections, 0, postings.rejections.length);
  let entryNumber = postings.entriesBefore;
  let nextRejected = positions.done ? -1 : positions.varint();
  for (let position = 0; position < batch.count; position += 1) {
    const balanceAfterMinor = balances.sint64();
    const heldAfterMinor = holds.done ? postings.heldBeforeMinor : holds.sint64();
    let outcome = OUTCOME_ACCEPTED;
    if (position === nextRejected) {
      outcome = reasons.varint();
      nextRejected = positions.done ? -1 : positions.varint();
    } else entryNumber += 1;
    const base = position * STRIDE;
    if (isEngineMade(batch.fields[base + HOLD_ID_LENGTH_AND_FLAGS] as number, batch.fields[base + TYPE] as number)) continue;
    verdicts.set(verdictKey(postings.accountId, batch.requestId(position)), {
      kind: 'posting',
      body: batch.body(position),
      outcome,
      balanceAfterMinor,
      heldAfterMinor,
      entryNumber: outcome === OUTCOME_ACCEPTED ? entryNumber : 0,
    });
  }
  batch.release();
}

/** Whether two encoded postings ask for the same, whatever their signature. */
export function samePosting(first: Uint8Array, second: Uint8Array): boolean {
  if (Buffer.compare(first, second) === 0) return true;
  return Buffer.compare(canonical(first), canonical(second)) === 0;
}

function canonical(body: Uint8Array): Uint8Array {
  return canonicalBytes(accountpb.Posting, { ...accountpb.Posting.decode(body), signature: Buffer.alloc(0), signedAtUs: 0n });
}
