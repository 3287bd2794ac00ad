/** The generated codec is the oracle: what it writes, the readers by hand read, and what they leave as bytes it reads back. */
import { accountpb } from '@sluice/protocol/account';
import fc from 'fast-check';
import { type PostingsPart, readPostings } from './postings-reader';
import { cutPostings } from './record-columns';

const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const count = fc.nat(2 ** 31 - 1);
const id = fc.string({ unit: 'grapheme', maxLength: 20 });

const posting = fc.record({
  requestId: id,
  accountId: id,
  type: fc.constantFrom(0, 1, 2, 3, 4, 5),
  amountMinor: int64,
  unit: id,
  holdId: id,
  final: fc.boolean(),
  counterparty: id,
  channel: id,
  initiatedDate: id,
  metadata: fc.dictionary(
    id.filter((key) => key !== '__proto__'),
    id,
    { maxKeys: 3 },
  ),
  signature: fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  signedAtUs: int64,
});

const date = fc.integer({ min: -800_000, max: 3_000_000 });
const dates = fc.option(fc.record({ businessDate: date, lastDayDate: date, lastDayBalanceMinor: int64, valueDate: fc.option(date, { nil: undefined }) }), {
  nil: undefined,
});

/** As many verdicts as requests; some of them refusals. */
const records = fc.array(fc.record({ posting, balanceAfter: int64, heldAfter: int64, rejection: fc.option(fc.integer({ min: 1, max: 18 }), { freq: 3 }) }), {
  maxLength: 12,
});

const accountPostings = fc
  .record({
    header: fc.record({
      accountId: id,
      balanceBeforeMinor: int64,
      balanceAfterMinor: int64,
      heldBeforeMinor: int64,
      heldAfterMinor: int64,
      entriesBefore: fc.bigInt(0n, 2n ** 50n),
      totalDebitMinor: int64,
      totalCreditMinor: int64,
      version: fc.bigInt(0n, 2n ** 50n),
      changedHolds: fc.array(fc.record({ holdId: id, remainingMinor: int64, expiresAtUs: fc.bigInt(0n, 2n ** 50n) }), { maxLength: 3 }),
    }),
    records,
    holdsChange: fc.boolean(),
    counts: fc.record({ acceptedCount: count, rejectedCount: count }),
    dates,
  })
  .map(({ header, records: recorded, holdsChange, counts, dates: dated }) =>
    accountpb.AccountPostings.fromPartial({
      ...header,
      ...counts,
      ...dated,
      requests: { postings: recorded.map((record) => record.posting) },
      balancesAfterMinor: recorded.map((record) => record.balanceAfter),
      holdsAfterMinor: holdsChange ? recorded.map((record) => record.heldAfter) : [],
      rejectedPositions: recorded.flatMap((record, position) => (record.rejection === null ? [] : [position])),
      rejections: recorded.flatMap((record) => (record.rejection === null ? [] : [record.rejection])),
    }),
  );

test('reads the header of every account and leaves the rest as it is', () => {
  fc.assert(
    fc.property(fc.array(accountPostings, { maxLength: 4 }), (accounts) => {
      const payload = accountpb.PostingsRecorded.encode({ accounts }).finish();
      const parts: PostingsPart[] = [];
      readPostings(payload, 7, 1_000, (part) => parts.push(part));
      expect(parts.length).toBe(accounts.length);
      parts.forEach((part, index) => {
        const account = accounts[index] as accountpb.AccountPostings;
        const { accountId, balanceBeforeMinor, balanceAfterMinor, heldBeforeMinor, heldAfterMinor, acceptedCount, rejectedCount, changedHolds } = account;
        expect(part).toMatchObject({
          accountId,
          balanceBeforeMinor,
          balanceAfterMinor,
          heldBeforeMinor,
          heldAfterMinor,
          acceptedCount,
          rejectedCount,
          changedHolds: changedHolds.map((hold) => ({ ...hold, expiresAtUs: Number(hold.expiresAtUs) })),
        });
        expect(part).toMatchObject({
          sequence: 7,
          committedAtUs: 1_000,
          entriesBefore: Number(account.entriesBefore),
          version: Number(account.version),
          balanceMoved: account.totalDebitMinor !== 0n || account.totalCreditMinor !== 0n,
        });
        const { businessDate, lastDayDate, lastDayBalanceMinor } = account;
        expect(part.dates).toEqual(businessDate === undefined ? undefined : { businessDate, lastDayDate, lastDayBalanceMinor });
        expect(accountpb.AccountPostings.decode(part.bytes.subarray(part.start, part.end))).toEqual(account);
      });
    }),
  );
});

test('pieces of an account are whole messages, and together they are the account', () => {
  fc.assert(
    fc.property(accountPostings, fc.integer({ min: 1, max: 400 }), (account, maximumBytes) => {
      const pieces = [...cutPostings(accountpb.AccountPostings.encode(account).finish(), maximumBytes)];
      const requests = account.requests?.postings ?? [];
      expect(pieces.reduce((sum, piece) => sum + piece.recordCount, 0)).toBe(requests.length);
      let before = 0;
      const joined = accountpb.AccountPostings.fromPartial({ requests: { postings: [] } });
      for (const piece of pieces) {
        const part = accountpb.AccountPostings.decode(piece.message);
        expect(part).toMatchObject({
          accountId: account.accountId,
          balanceAfterMinor: account.balanceAfterMinor,
          heldAfterMinor: account.heldAfterMinor,
          acceptedCount: piece.acceptedCount,
          rejectedCount: piece.recordCount - piece.acceptedCount,
          businessDate: account.businessDate,
          valueDate: account.businessDate === undefined ? undefined : account.valueDate,
        });
        joined.requests?.postings.push(...(part.requests?.postings ?? []));
        joined.balancesAfterMinor.push(...part.balancesAfterMinor);
        joined.holdsAfterMinor.push(...part.holdsAfterMinor);
        for (const position of part.rejectedPositions) joined.rejectedPositions.push(position + before);
        joined.rejections.push(...part.rejections);
        before += piece.recordCount;
      }
      const { balancesAfterMinor, holdsAfterMinor, rejectedPositions, rejections } = account;
      expect(joined).toMatchObject({ requests: { postings: requests }, balancesAfterMinor, holdsAfterMinor, rejectedPositions, rejections });
    }),
  );
});
