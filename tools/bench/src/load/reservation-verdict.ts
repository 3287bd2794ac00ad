/** What became of the reservations or associate requests of a batch. */
import { reservationpb } from '@sluice/protocol/reservation';
import type { BatchVerdict } from './batch-verdict';
import { eachField } from './wire-fields';

const RESULTS_FIELD = 1;
/** Of a result: why it is REJECTED, and the error of an item that was refused. */
const REASON_FIELD = 3;
const ERROR_FIELD = 5;

/** From the bytes of a ReserveBatchResponse or an AssociateBatchResponse. What is pending or parked is accepted. */
export function readReservationVerdict(bytes: Uint8Array): BatchVerdict {
  let results = 0;
  let refused = 0;
  eachField(bytes, ({ field, value, start }) => {
    if (field !== RESULTS_FIELD || start === undefined) return;
    results += 1;
    if (isRefused(bytes.subarray(start, start + value))) refused += 1;
  });
  return { results, accepted: results - refused };
}

function isRefused(result: Uint8Array): boolean {
  let refused = false;
  eachField(result, ({ field }) => {
    refused ||= field === REASON_FIELD || field === ERROR_FIELD;
  });
  return refused;
}

/** Decodes the whole answer and says what is wrong with it; undefined: nothing. */
export function findReserveFault(bytes: Uint8Array, items: number): string | undefined {
  const { results, positionToken } = reservationpb.ReserveBatchResponse.decode(bytes);
  const { RESERVATION_STATE_PENDING: pending, RESERVATION_STATE_RESERVED: reserved } = reservationpb.ReservationState;
  return faultOf(results, items, positionToken, ({ state }) => state === pending || state === reserved);
}

export function findAssociateFault(bytes: Uint8Array, items: number): string | undefined {
  const { results, positionToken } = reservationpb.AssociateBatchResponse.decode(bytes);
  const { ASSOCIATE_STATE_PENDING: pending, ASSOCIATE_STATE_PARKED: parked, ASSOCIATE_STATE_ASSOCIATED: associated } = reservationpb.AssociateState;
  return faultOf(results, items, positionToken, ({ state }) => state === pending || state === parked || state === associated);
}

type Result = Pick<reservationpb.ReserveResult, 'reason' | 'repeated' | 'error'>;

function faultOf<Item extends Result>(
  results: readonly Item[],
  items: number,
  positionToken: string,
  isExpected: (result: Item) => boolean,
): string | undefined {
  if (results.length !== items) return `${results.length} results for ${items} items`;
  for (const [index, result] of results.entries()) {
    const { error, reason, repeated } = result;
    if (error !== undefined) return `item ${index}: ${error.reason}: ${error.message}`;
    if (reason !== '') return `item ${index} is refused: ${reason}`;
    if (repeated) return `item ${index} was answered as a repeat, and its request id is new`;
    // The buffer of an identity forgets what is over, and nothing here is.
    if (!isExpected(result)) return `item ${index} is in a state that no request of the bench leads to`;
  }
  return positionToken === '' ? 'no position token' : undefined;
}
