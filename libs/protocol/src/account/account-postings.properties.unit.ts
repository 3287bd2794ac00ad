/** The hand-made reader of recorded postings: the generated codec is the oracle. */
import * as fc from 'fast-check';
import { AccountPostings, PostingsRecorded } from '../generated/sluice/account/v1/events';
import { ByteReader, MalformedMessageError } from '../wire/byte-reader';
import { postingsRecordedIn, readAccountPostings, type AccountPostingsHeader } from './account-postings';
import { scanRecordedPostings } from './posting-batch';

const int64 = fc.oneof(fc.constantFrom(0n, 1n, -1n, (1n << 63n) - 1n, -(1n << 63n)), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }));
const counter = fc.oneof(fc.constantFrom(0, 1, 2 ** 31 - 1), fc.nat());
const bigCounter = fc.oneof(fc.constantFrom(0, 2 ** 32, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
/** Days since 1970-01-01. */
const date = fc.oneof(fc.constantFrom(0, -1, 2_932_896, -719_162), fc.integer({ min: -719_162, max: 2_932_896 }));
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

const postings: fc.Arbitrary<AccountPostings> = fc
  .record({
    accountId: fc.string({ unit: 'grapheme', maxLength: 20 }),
    balanceBeforeMinor: int64,
    balanceAfterMinor: int64,
    heldBeforeMinor: int64,
    heldAfterMinor: int64,
    entriesBefore: bigCounter.map(BigInt),
    acceptedCount: counter,
    rejectedCount: counter,
    totalDebitMinor: int64,
    totalCreditMinor: int64,
    version: bigCounter.map(BigInt),
    changedHolds: fc.array(fc.record({ holdId: id, remainingMinor: int64, expiresAtUs: bigCounter.map(BigInt) }), { maxLength: 4 }),
    day: fc.option(
      fc.record({
        businessDate: date,
        lastDayDate: date,
        lastDayBalanceMinor: int64,
        lines: fc.array(fc.record({ line: fc.integer({ min: 1, max: 5 }), debitMinor: int64, creditMinor: int64, count: counter }), { maxLength: 3 }),
        valueDate: fc.option(date, { nil: undefined }),
      }),
      { nil: undefined },
    ),
    records: fc.array(fc.record({ requestId: id, balance: int64, held: int64, rejection: fc.option(fc.integer({ min: 1, max: 17 }), { nil: undefined }) }), {
      maxLength: 6,
    }),
  })
  .map(({ records, day, ...rest }) =>
    AccountPostings.fromPartial({
      ...rest,
      ...day,
      requests: { postings: records.map(({ requestId }) => ({ requestId, accountId: rest.accountId, type: 1, unit: 'EUR', amountMinor: 1n })) },
      balancesAfterMinor: records.map(({ balance }) => balance),
      holdsAfterMinor: rest.changedHolds.length === 0 ? [] : records.map(({ held }) => held),
      rejectedPositions: records.flatMap(({ rejection }, position) => (rejection === undefined ? [] : [position])),
      rejections: records.flatMap(({ rejection }) => (rejection === undefined ? [] : [rejection])),
    }),
  );

function numbers(bytes: Uint8Array, read: (reader: ByteReader) => bigint | number): (bigint | number)[] {
  const found: (bigint | number)[] = [];
  for (const reader = new ByteReader(bytes, 0, bytes.length); !reader.done; ) found.push(read(reader));
  return found;
}

function expectSame(header: AccountPostingsHeader, given: AccountPostings): void {
  const { requests, balancesAfter, holdsAfter, rejectedPositions, rejections, day, ...rest } = header;
  const { requests: given_requests, balancesAfterMinor, holdsAfterMinor, rejectedPositions: givenPositions, rejections: givenRejections, ...dated } = given;
  const { businessDate, lastDayDate, lastDayBalanceMinor, lines, valueDate, ...expected } = dated;
  const givenDay = { businessDate, lastDayDate, lastDayBalanceMinor, lines, ...(valueDate === undefined ? undefined : { valueDate }) };
  expect(day).toEqual(businessDate === undefined ? undefined : givenDay);
  const changedHolds = rest.changedHolds.map(({ expiresAtUs = 0, ...hold }) => ({ ...hold, expiresAtUs: BigInt(expiresAtUs) }));
  expect({ ...rest, changedHolds, entriesBefore: BigInt(rest.entriesBefore), version: BigInt(rest.version) }).toEqual(expected);
  expect(numbers(balancesAfter, (reader) => reader.sint64())).toEqual(balancesAfterMinor);
  expect(numbers(holdsAfter, (reader) => reader.sint64())).toEqual(holdsAfterMinor);
  expect(numbers(rejectedPositions, (reader) => reader.varint())).toEqual(givenPositions);
  expect(numbers(rejections, (reader) => reader.varint())).toEqual(givenRejections);
  const batch = scanRecordedPostings(requests);
  expect(Array.from({ length: batch.count }, (_, index) => batch.requestId(index))).toEqual(given_requests?.postings.map(({ requestId }) => requestId));
  batch.release();
}

test('reads what the generated codec writes', () => {
  fc.assert(
    fc.property(postings, (given) => expectSame(readAccountPostings(AccountPostings.encode(given).finish()), given)),
    { numRuns: 200 },
  );
});

test('visits every account of an event, passing over what it does not know', () => {
  fc.assert(
    fc.property(fc.array(postings, { maxLength: 4 }), (accounts) => {
      const unknown = Buffer.from([0x12, 0x02, 0xff, 0xff, 0x18, 0x07]);
      const bytes = Buffer.concat([unknown, PostingsRecorded.encode({ accounts }).finish(), unknown]);
      const visited: AccountPostingsHeader[] = [];
      for (const { postings: header, bytes: own } of postingsRecordedIn(bytes)) {
        expect(AccountPostings.decode(own)).toEqual(accounts[visited.length]);
        visited.push(header);
      }
      expect(visited.length).toBe(accounts.length);
      visited.forEach((header, at) => expectSame(header, accounts[at] as AccountPostings));
    }),
    { numRuns: 60 },
  );
});

test('bytes that are no event are refused as such', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        Array.from(postingsRecordedIn(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
    { numRuns: 500 },
  );
});
