/** What an entry says of why it is there. */
import { accountpb } from '@sluice/protocol/account';
import { entryMessage } from './account-message';

test.each`
  type         | posting                      | origin
  ${'CREDIT'}  | ${{}}                        | ${'UNSPECIFIED'}
  ${'DEBIT'}   | ${{ toAccountId: 'other' }}  | ${'TRANSFER_DEBIT'}
  ${'CREDIT'}  | ${{ toAccountId: 'other' }}  | ${'TRANSFER_REFUND'}
  ${'CREDIT'}  | ${{ fromAccountId: 'from' }} | ${'TRANSFER_CREDIT'}
  ${'RELEASE'} | ${{ holdExpired: true }}     | ${'HOLD_EXPIRY'}
  ${'DEBIT'}   | ${{ funds: true }}           | ${'FUNDS_TAKEN'}
  ${'CREDIT'}  | ${{ funds: true }}           | ${'FUNDS_RETURNED'}
  ${'HOLD'}    | ${{ funds: true }}           | ${'FUNDS_HELD'}
  ${'CAPTURE'} | ${{ funds: true }}           | ${'FUNDS_TAKEN'}
  ${'RELEASE'} | ${{ funds: true }}           | ${'FUNDS_RELEASED'}
  ${'CREDIT'}  | ${{ interest: true }}        | ${'INTEREST'}
  ${'DEBIT'}   | ${{ interest: true }}        | ${'INTEREST'}
`('$type with $posting is $origin', ({ type, posting, origin }: { type: string; posting: Partial<accountpb.Posting>; origin: string }) => {
  const typed = accountpb.Posting.fromPartial({ ...posting, type: accountpb.PostingType[`POSTING_TYPE_${type}` as 'POSTING_TYPE_CREDIT'] });
  const record = { posting: typed, entryNumber: 1, balanceAfterMinor: 0n, heldAfterMinor: 0n, committedAtUs: 0, sequence: 1, rejection: 0 };
  expect(accountpb.EntryOrigin[entryMessage(0, record as unknown as Parameters<typeof entryMessage>[1]).origin]).toBe(`ENTRY_ORIGIN_${origin}`);
});
