/**
 * Outcomes of postings as small numbers, for the columns of a batch: the proto's Rejection below 64, the engine's refusals above.
 */
import { UNRECORDED_REJECTIONS, type Rejection } from '@sluice/domain/account';
import { accountpb, OUTCOME_ACCEPTED } from '@sluice/protocol/account';
import type { RequestRefusal } from '@sluice/engine';
import type { Reason } from '@sluice/service';

export const INVALID_REQUEST = 64;
export const POSTING_TYPE_UNKNOWN = 65;
export const ACCOUNT_NOT_FOUND = 66;
export const SIGNATURE_INVALID = 67;
export const REQUEST_ID_REUSED = 68;
export const QUEUE_FULL = 69;
export const PARTITION_UNAVAILABLE = 70;
export const SHUTTING_DOWN = 71;
export const BATCH_TOO_LARGE = 72;
/** Only within a process: nobody outside is told; the request is forwarded or refused as PARTITION_UNAVAILABLE. */
export const NOT_OWNER = 73;
export const INTERNAL = 74;
/** Of an atomic batch of which nothing is recorded. */
export const BATCH_REFUSED = 75;
export const SIGNING_KEY_MISSING = 76;

const engineReasons: Readonly<Record<number, Reason>> = {
  [INVALID_REQUEST]: 'INVALID_REQUEST',
  [POSTING_TYPE_UNKNOWN]: 'POSTING_TYPE_UNKNOWN',
  [ACCOUNT_NOT_FOUND]: 'ACCOUNT_NOT_FOUND',
  [SIGNATURE_INVALID]: 'SIGNATURE_INVALID',
  [REQUEST_ID_REUSED]: 'REQUEST_ID_REUSED',
  [QUEUE_FULL]: 'QUEUE_FULL',
  [PARTITION_UNAVAILABLE]: 'PARTITION_UNAVAILABLE',
  [SHUTTING_DOWN]: 'SHUTTING_DOWN',
  [BATCH_TOO_LARGE]: 'BATCH_TOO_LARGE',
  [NOT_OWNER]: 'PARTITION_UNAVAILABLE',
  [INTERNAL]: 'INTERNAL',
  [BATCH_REFUSED]: 'BATCH_REFUSED',
  [SIGNING_KEY_MISSING]: 'SIGNING_KEY_MISSING',
};

const PREFIX = 'REJECTION_';

/** Reason of every outcome but ACCEPTED; by number. */
export const OUTCOME_REASONS: readonly (Reason | undefined)[] = Array.from({ length: 77 }, (_, outcome) => {
  if (outcome === 0 || outcome === OUTCOME_ACCEPTED) return undefined;
  if (outcome > OUTCOME_ACCEPTED) return engineReasons[outcome];
  const name = accountpb.Rejection[outcome];
  return name?.startsWith(PREFIX) ? (name.slice(PREFIX.length) as Reason) : undefined;
});

const rejectionOutcomes = new Map<Rejection, number>([
  ['ACCOUNT_NOT_FOUND', ACCOUNT_NOT_FOUND],
  ['SIGNATURE_INVALID', SIGNATURE_INVALID],
]);

/** Outcome of a domain rejection. */
export function outcomeOf(rejection: Rejection): number {
  let outcome = rejectionOutcomes.get(rejection);
  if (outcome === undefined) {
    outcome = accountpb.Rejection[`${PREFIX}${rejection}` as keyof typeof accountpb.Rejection];
    if (typeof outcome !== 'number') throw new Error(`the protos do not know the rejection ${rejection}`);
    rejectionOutcomes.set(rejection, outcome);
  }
  return outcome;
}

const unrecorded = new Set([...UNRECORDED_REJECTIONS].map(outcomeOf));

/** Whether the outcome is one of the account's state, which the log keeps. */
export function isRecorded(outcome: number): boolean {
  return outcome <= OUTCOME_ACCEPTED && !unrecorded.has(outcome);
}

/** The same request may pass when it comes again. */
export function isTransient(outcome: number): boolean {
  return outcome === PARTITION_UNAVAILABLE || outcome === NOT_OWNER || outcome === QUEUE_FULL || outcome === SHUTTING_DOWN || outcome === INTERNAL;
}

const refusalOutcomes: Readonly<Record<RequestRefusal, number>> = {
  PARTITION_UNAVAILABLE,
  SHUTTING_DOWN,
  NOT_OWNER,
  QUEUE_FULL,
  BATCH_TOO_LARGE,
  INTERNAL,
};

/** Outcome of a request that the partition did not decide. */
export function outcomeOfRefusal(refusal: RequestRefusal): number {
  return refusalOutcomes[refusal];
}

const outcomesByReason = new Map(
  OUTCOME_REASONS.flatMap((reason, outcome) => (reason === undefined || outcome === NOT_OWNER ? [] : [[reason as string, outcome] as const])),
);

/** Outcome of a reason that another instance answered with; what is not known here is for the caller to try again. */
export function outcomeOfReason(reason: string): number {
  return outcomesByReason.get(reason) ?? PARTITION_UNAVAILABLE;
}
