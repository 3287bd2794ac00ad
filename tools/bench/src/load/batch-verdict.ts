/**
 * How many postings of a batch were answered and accepted, read from the bytes of a PostBatchResponse without decoding its
 * results: skipping a thousand of them costs a few microseconds. A sample of the answers is decoded whole beside it.
 */
import { accountpb } from '@sluice/protocol/account';
import { eachField } from './wire-fields';

export interface BatchVerdict {
  readonly results: number;
  readonly accepted: number;
}

const RESULTS_FIELD = 1;
const ACCEPTED_COUNT_FIELD = 3;

export function readBatchVerdict(bytes: Uint8Array): BatchVerdict {
  let results = 0;
  let accepted = 0;
  eachField(bytes, ({ field, value, start }) => {
    if (field === RESULTS_FIELD && start !== undefined) results += 1;
    else if (field === ACCEPTED_COUNT_FIELD && start === undefined) accepted = value;
  });
  return { results, accepted };
}

/** Decodes the whole answer and says what is wrong with it: a refusal, a repeat, an entry without number; undefined: nothing. */
export function findFault(bytes: Uint8Array, postings: number): string | undefined {
  const { results, positionToken, acceptedCount } = accountpb.PostBatchResponse.decode(bytes);
  if (results.length !== postings) return `${results.length} results for ${postings} postings`;
  for (const [index, { error, repeated, entryNumber }] of results.entries()) {
    if (error !== undefined) return `posting ${index}: ${error.reason}: ${error.message}`;
    if (repeated) return `posting ${index} was answered as a repeat, and its request id is new`;
    if (entryNumber <= 0n) return `posting ${index} was accepted without an entry number`;
  }
  if (positionToken === '') return 'no position token';
  return acceptedCount === postings ? undefined : `${acceptedCount} accepted of ${postings}, and no result says why`;
}
