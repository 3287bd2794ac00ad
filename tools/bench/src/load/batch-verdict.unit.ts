import { accountpb } from '@sluice/protocol/account';
import fc from 'fast-check';
import { findFault, readBatchVerdict } from './batch-verdict';

const accepted: accountpb.PostingResult = { balanceAfterMinor: 5n, heldAfterMinor: 0n, entryNumber: 1n, repeated: false, error: undefined };
const refused: accountpb.PostingResult = { ...accepted, entryNumber: 0n, error: { code: 9, reason: 'INSUFFICIENT_FUNDS', message: 'too little' } };
const answer = (results: accountpb.PostingResult[], acceptedCount: number, positionToken = 'token'): Uint8Array =>
  accountpb.PostBatchResponse.encode({ results, acceptedCount, positionToken }).finish();

test('reads from the bytes what the generated decoder reads', () => {
  const result = fc.record({
    balanceAfterMinor: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    heldAfterMinor: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    entryNumber: fc.bigInt({ min: 0n, max: 2n ** 40n }),
    repeated: fc.boolean(),
    error: fc.option(fc.record({ code: fc.nat({ max: 16 }), reason: fc.string(), message: fc.string() }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(result, { maxLength: 30 }), fc.nat({ max: 10_000 }), fc.string(), (results, acceptedCount, token) => {
      expect(readBatchVerdict(answer(results, acceptedCount, token))).toEqual({ results: results.length, accepted: acceptedCount });
    }),
  );
});

test.each`
  bytes                                            | postings | fault
  ${answer([accepted, accepted], 2)}               | ${2}     | ${undefined}
  ${answer([accepted], 1)}                         | ${2}     | ${'1 results for 2 postings'}
  ${answer([accepted], 1, '')}                     | ${1}     | ${'no position token'}
  ${answer([accepted, refused], 1)}                | ${2}     | ${'posting 1: INSUFFICIENT_FUNDS: too little'}
  ${answer([{ ...accepted, repeated: true }], 1)}  | ${1}     | ${'posting 0 was answered as a repeat, and its request id is new'}
  ${answer([{ ...accepted, entryNumber: 0n }], 1)} | ${1}     | ${'posting 0 was accepted without an entry number'}
  ${answer([accepted, accepted], 1)}               | ${2}     | ${'1 accepted of 2, and no result says why'}
`('fault: $fault', ({ bytes, postings, fault }: { bytes: Uint8Array; postings: number; fault: string | undefined }) => {
  expect(findFault(bytes, postings)).toBe(fault);
});

test.each([[[0xff]], [[0x0a]], [[0x0d, 0, 0, 0, 0]], [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]])('bytes %j are not taken for an answer', (bytes) => {
  expect(() => readBatchVerdict(Uint8Array.from(bytes))).toThrow(/an answer/);
});
