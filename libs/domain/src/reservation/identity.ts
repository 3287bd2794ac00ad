/**
 * An identity: the buffer of its numbers and of the requests that associate with them. It is written first, so nothing that was accepted is lost
 * while a number's partition is not reached.
 *
 *   number      asked (NONE) ──reports──▶ PENDING, RESERVED, ASSOCIATED ──▶ over, remembered for a while
 *   associate   parked ◀──not taken── sent ──applied──▶ over, remembered for a while
 *                 └─────────────────▶ ┘
 */
import { DraftTable, type Table } from './draft-table';
import type { NumberReport } from './number-report';
import { isOver } from './reservation-state';

/** What was over last, of each kind, for repeats and for callers that still wait. */
export const REMEMBERED_PER_IDENTITY = 64;

export interface KnownNumber {
  /** What it said last. State NONE: nothing yet. */
  readonly report: NumberReport;
  /** A request named it: it is passed on to no other number. */
  readonly named: boolean;
}

export interface OpenAssociate {
  readonly associateId: string;
  /** Empty: the first that is reserved. */
  readonly number: string;
  /** Microseconds. */
  readonly parkedUntilUs: number;
  readonly note: string;
  /** Empty: it is parked. */
  readonly sentTo: string;
}

export interface EndedAssociate {
  readonly associateId: string;
  readonly state: 'ASSOCIATED' | 'REJECTED' | 'EXPIRED';
  /** Empty unless it is ASSOCIATED. */
  readonly number: string;
  readonly reason: string;
  /** Of the commit in the number's partition; 0: none. */
  readonly sequence: number;
}

export interface Identity {
  readonly identityId: string;
  /** Those that are not over, in order of reservation. */
  readonly numbers: Table<KnownNumber>;
  /** Those that are not over, in order of arrival. */
  readonly associates: Table<OpenAssociate>;
  readonly endedNumbers: Table<NumberReport>;
  readonly endedAssociates: Table<EndedAssociate>;
}

export type IdentityEvent =
  | { readonly kind: 'numberAsked'; readonly number: string; readonly requestId: string }
  | { readonly kind: 'numberReported'; readonly report: NumberReport }
  | ({ readonly kind: 'associateTaken' } & Omit<OpenAssociate, 'sentTo'>)
  | { readonly kind: 'associateSent'; readonly associateId: string; readonly number: string }
  | { readonly kind: 'associateParked'; readonly associateId: string }
  /** `version` of the number when it was associated; 0: none. */
  | ({ readonly kind: 'associateEnded'; readonly version: number } & EndedAssociate);

export function newIdentity(identityId: string): Identity {
  return { identityId, numbers: new Map(), associates: new Map(), endedNumbers: new Map(), endedAssociates: new Map() };
}

/** To evolve, while the identity stays as it is: an identity of 1,000 numbers is not copied for each decision. */
export function draftOfIdentity({ identityId, numbers, associates, endedNumbers, endedAssociates }: Identity): Identity {
  return {
    identityId,
    numbers: new DraftTable(numbers),
    associates: new DraftTable(associates),
    endedNumbers: new DraftTable(endedNumbers),
    endedAssociates: new DraftTable(endedAssociates),
  };
}

/** A caller's associate request, as its identity names it. */
export function associateIdOf(requestId: string): string {
  return `r/${requestId}`;
}

/** The request that took a number which another request names later: it goes on under this name. */
export function passedOnFrom(number: string): string {
  return `n/${number}`;
}

/** Changes the identity in place. Throws for an event that cannot follow. */
export function evolveIdentity(identity: Identity, event: IdentityEvent): Identity {
  const { numbers, associates } = identity;
  switch (event.kind) {
    case 'numberAsked':
      numbers.set(event.number, { report: nothingYet(event.number), named: false });
      return identity;
    case 'numberReported':
      return numberReported(identity, event.report);
    case 'associateTaken': {
      const { kind: _, ...taken } = event;
      associates.set(taken.associateId, { ...taken, sentTo: '' });
      return identity;
    }
    case 'associateSent':
      associates.set(event.associateId, { ...openAssociate(identity, event.associateId), sentTo: event.number });
      return identity;
    case 'associateParked':
      associates.set(event.associateId, { ...openAssociate(identity, event.associateId), sentTo: '' });
      return identity;
    case 'associateEnded':
      return associateEnded(identity, event);
    default:
      return event satisfies never;
  }
}

function nothingYet(number: string): NumberReport {
  return { number, state: 'NONE', waiting: false, version: 0, sequence: 0, reason: '' };
}

function numberReported(identity: Identity, report: NumberReport): Identity {
  const { numbers, endedNumbers } = identity;
  const known = numbers.get(report.number);
  if (known === undefined) throw new Error(`${identity.identityId} was told of ${report.number}, which it does not have`);
  if (isOver(report.state)) {
    numbers.delete(report.number);
    remember(endedNumbers, report.number, report);
  } else numbers.set(report.number, { ...known, report });
  return identity;
}

function associateEnded(identity: Identity, { kind: _, version, ...ended }: Extract<IdentityEvent, { kind: 'associateEnded' }>): Identity {
  const { numbers, associates, endedAssociates } = identity;
  const associate = openAssociate(identity, ended.associateId);
  associates.delete(ended.associateId);
  remember(endedAssociates, ended.associateId, ended);
  const known = numbers.get(ended.number);
  if (ended.state !== 'ASSOCIATED' || known === undefined) return identity;
  const isNewer = version > known.report.version;
  numbers.set(ended.number, {
    report: isNewer ? { ...known.report, state: 'ASSOCIATED', waiting: false, version, sequence: ended.sequence } : known.report,
    named: known.named || associate.number === ended.number,
  });
  return identity;
}

function openAssociate({ identityId, associates }: Identity, associateId: string): OpenAssociate {
  const found = associates.get(associateId);
  if (found === undefined) throw new Error(`${identityId} has no open associate request ${associateId}`);
  return found;
}

/** Keeps the newest, in the order in which they came. */
function remember<Value>(values: Table<Value>, key: string, value: Value): void {
  values.delete(key);
  values.set(key, value);
  for (const oldest of values.keys()) {
    if (values.size <= REMEMBERED_PER_IDENTITY) return;
    values.delete(oldest);
  }
}
