/** What an atomic batch records is never more than what it was admitted with, however its postings close each other's groups. */
import { keyHash } from '@sluice/domain';
import { textOfDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb, scanPostings } from '@sluice/protocol/account';
import * as fc from 'fast-check';
import { BranchOfAccounts, on } from '../test/branch-of-accounts';
import { exactRecordBytesOf } from './posting-record-size';
import { SHAPE_ISSUES } from './posting-router';

const FRIDAY = on('1996-03-01');
const MONDAY = on('1996-03-04');
const { POSTING_TYPE_CREDIT: CREDIT, POSTING_TYPE_HOLD: HOLD } = accountpb.PostingType;
/** As long as ids may be. */
const LONG = 128;

const item = fc.record({
  account: fc.nat({ max: 4 }),
  initiated: fc.constantFrom(undefined, FRIDAY, MONDAY, FRIDAY - 9),
  huge: fc.boolean(),
  hold: fc.boolean(),
});

/** The costliest order: each posting closes the group of the one before. */
const alternating = fc
  .integer({ min: 10, max: 80 })
  .map((length) => Array.from({ length }, (_, at) => ({ account: 0, initiated: at % 2 === 0 ? FRIDAY : MONDAY, huge: false, hold: false })));

test.each([logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING, logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING])('behind a day cut, by roll policy %d', (rollPolicy) => {
  fc.assert(
    fc.property(fc.oneof(fc.array(item, { minLength: 1, maxLength: 40 }), alternating), (items) => {
      const branch = new BranchOfAccounts();
      const ids = Array.from({ length: 5 }, (_, at) => `account ${at} `.padEnd(LONG, 'x'));
      branch.setDay(FRIDAY, FRIDAY - 1, { rollPolicy });
      for (const accountId of ids) {
        branch.open(accountId, 'current');
        branch.post(accountId, 1n << 50n);
      }
      branch.setDay(MONDAY, FRIDAY, { rollPolicy });
      const postings = items.map(({ account, initiated, huge, hold }, at) => ({
        requestId: `request ${at} `.padEnd(LONG, 'x'),
        accountId: ids[account] as string,
        type: hold ? HOLD : CREDIT,
        amountMinor: huge ? 1n << 48n : 1n,
        unit: 'CZK',
        initiatedDate: initiated === undefined ? '' : textOfDate(initiated),
      }));
      const accepted = branch.accounts.posts(postings, true).every((verdict) => verdict === 'accepted');
      const recorded = branch.accounts.lastEvents(0).reduce((sum, { payload }) => sum + payload.length, 0);
      expect([accepted, recorded <= admittedBytes(postings)]).toEqual([accepted, true]);
    }),
    { numRuns: 100 },
  );
});

function admittedBytes(postings: readonly Partial<accountpb.Posting>[]): number {
  const batch = scanPostings(
    accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic: true })).finish(),
    SHAPE_ISSUES,
  );
  for (const [index, { accountId = '' }] of postings.entries()) {
    const id = Buffer.from(accountId, 'utf8');
    batch.accountHashes[index] = keyHash(id, 0, id.length);
  }
  const bytes = exactRecordBytesOf(
    batch,
    postings.map((_, index) => index),
  );
  batch.release();
  return bytes;
}
