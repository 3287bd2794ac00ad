/** What the fold of the log says of commits that contradict themselves. */
import { CommitWriter, NO_CHECKSUM, readCommit, type DecodedCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
import { LedgerFold } from './ledger-fold';

const { POSTING_TYPE_CREDIT, POSTING_TYPE_DEBIT } = accountpb.PostingType;

function commitWith(totals: Pick<accountpb.AccountPostings, 'totalCreditMinor' | 'totalDebitMinor'>): DecodedCommit {
  const posting = (requestId: string, type: accountpb.PostingType, amountMinor: bigint): Partial<accountpb.Posting> => ({
    requestId,
    accountId: 'hot',
    type,
    amountMinor,
    unit: 'EUR',
  });
  const writer = new CommitWriter();
  writer.begin({ incarnation: Buffer.alloc(16), partition: 0, sequence: 1, epoch: 1, committedAtUs: 1, previousChecksum: NO_CHECKSUM }, []);
  const opened = accountEvents.record('AccountOpened', accountpb.AccountOpened.fromPartial({ accountId: 'hot', requestId: 'open', unit: 'EUR' }));
  writer.event(opened.type, opened.version, opened.payload);
  const account = accountpb.AccountPostings.fromPartial({
    accountId: 'hot',
    acceptedCount: 2,
    version: 3n,
    balanceAfterMinor: 60n,
    balancesAfterMinor: [100n, 60n],
    requests: { postings: [posting('in', POSTING_TYPE_CREDIT, 100n), posting('out', POSTING_TYPE_DEBIT, 40n)] },
    ...totals,
  });
  writer.event('account.PostingsRecorded', 1, accountpb.PostingsRecorded.encode({ accounts: [account] }).finish());
  return readCommit(writer.finish());
}

test.each`
  totalCreditMinor | totalDebitMinor | fault
  ${100n}          | ${40n}          | ${undefined}
  ${101n}          | ${40n}          | ${'sequence 1 says the total credit is 101, its entries make it 100'}
  ${100n}          | ${-40n}         | ${'sequence 1 says the total debit is -40, its entries make it 40'}
`('recorded totals of $totalCreditMinor and $totalDebitMinor: $fault', ({ totalCreditMinor, totalDebitMinor, fault }) => {
  const fold = new LedgerFold(() => 1);
  fold.take(commitWith({ totalCreditMinor, totalDebitMinor }));
  expect(fold.accounts.get('hot')?.fault).toBe(fault);
});
