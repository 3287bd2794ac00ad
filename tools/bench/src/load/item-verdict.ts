/** What became of the scores or gifts of a batch. */
import { contestpb } from '@sluice/protocol/contest';
import type { BatchVerdict } from './batch-verdict';
import { eachField } from './wire-fields';

const RESULTS_FIELD = 1;
const WIRE_TYPE_MASK = 7;
const WIRE_LENGTH = 2;

/** From the bytes of a ScoreBatchResponse or a GiftBatchResponse. Their results have numbers only, and an error where they are refused. */
export function readItemVerdict(bytes: Uint8Array): BatchVerdict {
  let results = 0;
  let refused = 0;
  eachField(bytes, ({ field, value, start }) => {
    if (field !== RESULTS_FIELD || start === undefined) return;
    results += 1;
    if (hasError(bytes, start, start + value)) refused += 1;
  });
  return { results, accepted: results - refused };
}

/** Whether a field with a length stands among numbers. */
function hasError(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (((bytes[at] as number) & WIRE_TYPE_MASK) === WIRE_LENGTH) return true;
    at += 1;
    while ((bytes[at] as number) >= 0x80) at += 1;
    at += 1;
  }
  return false;
}

/** Decodes the whole answer and says what is wrong with it; undefined: nothing. */
export function findScoreFault(bytes: Uint8Array, scores: number): string | undefined {
  const { results, positionToken } = contestpb.ScoreBatchResponse.decode(bytes);
  return faultOf(
    results.map(({ error, repeated, round }) => ({ error, repeated, recorded: round > 0 })),
    scores,
    positionToken,
  );
}

export function findGiftFault(bytes: Uint8Array, gifts: number): string | undefined {
  const { results, positionToken } = contestpb.GiftBatchResponse.decode(bytes);
  return faultOf(
    results.map(({ error, repeated, entryNumber }) => ({ error, repeated, recorded: entryNumber > 0n })),
    gifts,
    positionToken,
  );
}

interface ItemResult {
  readonly error: contestpb.ScoreError | undefined;
  readonly repeated: boolean;
  readonly recorded: boolean;
}

function faultOf(results: readonly ItemResult[], items: number, positionToken: string): string | undefined {
  if (results.length !== items) return `${results.length} results for ${items} items`;
  for (const [index, { error, repeated, recorded }] of results.entries()) {
    if (error !== undefined) return `item ${index}: ${error.reason}: ${error.message}`;
    if (repeated) return `item ${index} was answered as a repeat, and its request id is new`;
    if (!recorded) return `item ${index} was accepted, and the answer does not say where it counts`;
  }
  return positionToken === '' ? 'no position token' : undefined;
}
