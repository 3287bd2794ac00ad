/** The hand-made encoder of answers: the generated decoder is the oracle. */
import * as fc from 'fast-check';
import { accountpb, OUTCOME_ACCEPTED, type PostingBatch, scanPostings } from '@sluice/protocol/account';
import { codeOfReason } from '@sluice/service';
import { acceptedCount, encodeBatchResponse, encodePostResponse, encodeStreamResponse, reasonOf } from './posting-response';
import { OUTCOME_REASONS } from './outcomes';

const outcomes = OUTCOME_REASONS.flatMap((reason, outcome) => (reason === undefined ? [] : [outcome]));
const int64 = fc.oneof(fc.constantFrom(0n, 1n, -1n, (1n << 63n) - 1n, -(1n << 63n)), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));
const verdict = fc.record({
  outcome: fc.oneof({ weight: 2, arbitrary: fc.constant(OUTCOME_ACCEPTED) }, { weight: 1, arbitrary: fc.constantFrom(...outcomes) }),
  balance: int64,
  held: int64,
  entry: fc.oneof(fc.constantFrom(1, Number.MAX_SAFE_INTEGER), fc.integer({ min: 1, max: 2 ** 40 })),
  repeated: fc.boolean(),
  message: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { nil: undefined }),
});
type Verdict = typeof verdict extends fc.Arbitrary<infer Value> ? Value : never;

function batchOf(verdicts: readonly Verdict[]): PostingBatch {
  const postings = verdicts.map((_, at) => ({ requestId: `r${at}`, accountId: 'hot', unit: 'EUR', type: 1, amountMinor: 1n }));
  const batch = scanPostings(accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings })).finish(), {
    invalid: () => undefined,
    unknownType: () => undefined,
  });
  verdicts.forEach(({ outcome, balance, held, entry, repeated, message }, at) => {
    batch.outcomes[at] = outcome;
    batch.balancesAfter[at] = balance;
    batch.heldAfter[at] = held;
    batch.entryNumbers[at] = entry;
    batch.repeated[at] = repeated ? 1 : 0;
    if (message !== undefined && outcome !== OUTCOME_ACCEPTED) batch.messages.set(at, message);
  });
  return batch;
}

function expected({ outcome, balance, held, entry, repeated, message }: Verdict): accountpb.PostingResult {
  const accepted = outcome === OUTCOME_ACCEPTED;
  const ofTheState = outcome <= OUTCOME_ACCEPTED;
  const reason = reasonOf(outcome);
  return {
    balanceAfterMinor: ofTheState ? balance : 0n,
    heldAfterMinor: ofTheState ? held : 0n,
    entryNumber: accepted ? BigInt(entry) : 0n,
    repeated,
    error: accepted ? undefined : { code: codeOfReason(reason), reason, message: message ?? expect.any(String) },
  };
}

test('a batch of any verdicts', () => {
  fc.assert(
    fc.property(fc.array(verdict, { maxLength: 40 }), fc.string({ maxLength: 40 }), (verdicts, positionToken) => {
      const batch = batchOf(verdicts);
      const decoded = accountpb.PostBatchResponse.decode(encodeBatchResponse(batch, acceptedCount(batch), positionToken));
      expect(decoded).toEqual({
        results: verdicts.map(expected),
        positionToken,
        acceptedCount: verdicts.filter(({ outcome }) => outcome === OUTCOME_ACCEPTED).length,
      });
      batch.release();
    }),
    { numRuns: 200 },
  );
});

test('a single one, and one of a stream', () => {
  fc.assert(
    fc.property(verdict, fc.string({ maxLength: 40 }), (one, positionToken) => {
      const batch = batchOf([one]);
      expect(accountpb.PostResponse.decode(encodePostResponse(batch, 0, positionToken))).toEqual({ result: expected(one), positionToken });
      expect(accountpb.PostStreamResponse.decode(encodeStreamResponse(batch, 0, positionToken))).toEqual({
        requestId: 'r0',
        accountId: 'hot',
        result: expected(one),
        positionToken,
      });
      batch.release();
    }),
    { numRuns: 200 },
  );
});

test('every refusal has a reason and a message for people', () => {
  for (const outcome of outcomes) {
    const batch = batchOf([{ outcome, balance: 0n, held: 0n, entry: 1, repeated: false, message: undefined }]);
    const { results } = accountpb.PostBatchResponse.decode(encodeBatchResponse(batch, 0, ''));
    expect(results[0]?.error?.reason).toBe(OUTCOME_REASONS[outcome]);
    expect(results[0]?.error?.message.length).toBeGreaterThan(20);
    batch.release();
  }
});
