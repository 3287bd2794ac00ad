/**
 * Compares the accounts of a partition with its log (memory is bounded by the partition's accounts), while both go on:
 *
 *   1. the rows of all accounts are captured, as fingerprints, each with the sequence that it reflects, and digests of their closing balances;
 *   2. the log is folded, each account up to its captured sequence, none less far than the log's head at the start;
 *   3. the entry segments are scanned, each account's records up to the same sequence;
 *   4. the chain of entries of an account that differs is walked; if it still differs, it is suspicious.
 */
import { murmurHash3 } from '@sluice/domain';
import type { DecodedCommit } from '@sluice/protocol';
import { combineVerifications } from '../../combined-verification';
import { rowsOf } from '../../row-pages';
import type { PartitionComparison, PartitionVerification, ProjectionVerification, VerificationScope } from '../../verification';
import { ACCOUNT_AGGREGATE } from '../account-aggregate';
import { BRANCH_DAY_AGGREGATE } from '../account-branch-days';
import { type AccountSnapshot, readAccount, readAccounts } from '../account-reader';
import { ACCOUNT_PROFILES } from '../collections';
import type { BlockPointer } from '../entry-spine';
import { TRANSFER_AGGREGATE } from '../transfer-fold';
import { comparableOfLedger, comparableOfSnapshot } from './account-comparable';
import { beginAccount } from './account-comparison';
import { branchDayVerification } from './branch-day-verification';
import { type ScannedClosings, scanClosings } from './closing-scan';
import { ClosingDigest } from './ledger-days';
import { type LedgerAccount, LedgerFold } from './ledger-fold';
import { scanSegments } from './segment-scan';
import { digestChain } from './stored-records';
import { transferVerification } from './transfer-verification';

const accounts: ProjectionVerification = {
  kinds: [{ aggregate: ACCOUNT_AGGREGATE, partitionKey: (accountId) => accountId }],
  partition: async (scope) => {
    const captured = await captureAccounts(scope);
    const boundOf = (accountId: string): number => Math.max(scope.head, captured.get(accountId)?.sequence ?? 0);
    return new PartitionAccounts(scope, captured, await scanClosings(scope.copy, scope.partition, boundOf, scope.signal));
  },
  aggregate: (scope, { aggregate, key }) => beginAccount(scope, aggregate, key),
};

export const accountVerification = combineVerifications({
  [ACCOUNT_AGGREGATE]: accounts,
  [TRANSFER_AGGREGATE]: transferVerification,
  [BRANCH_DAY_AGGREGATE]: branchDayVerification,
});

const NO_CLOSINGS: ScannedClosings = { digest: new ClosingDigest(), moved: false };

interface Captured {
  readonly sequence: number;
  readonly fingerprint: string;
  readonly newestBlock: BlockPointer | undefined;
}

class PartitionAccounts implements PartitionVerification {
  readonly last: number;
  private readonly fold: LedgerFold;

  constructor(
    private readonly scope: VerificationScope,
    private readonly captured: ReadonlyMap<string, Captured>,
    private readonly closings: ReadonlyMap<string, ScannedClosings>,
  ) {
    this.fold = new LedgerFold((accountId) => this.boundOf(accountId));
    let last = scope.head;
    for (const { sequence } of captured.values()) last = Math.max(last, sequence);
    this.last = last;
  }

  take(commit: DecodedCommit): void {
    this.fold.take(commit);
  }

  async compare(): Promise<PartitionComparison> {
    const { fold, captured, scope } = this;
    const scanned = await scanSegments(scope.copy, scope.partition, (accountId) => this.boundOf(accountId), scope.signal);
    const suspicious: string[] = [];
    let entries = 0;
    let closings = 0;
    for (const [accountId, ledger] of fold.accounts) {
      const row = captured.get(accountId);
      const stored = scanned.get(accountId);
      const recordsEqual = stored === undefined ? ledger.digest.count === 0 : stored.digest.equals(ledger.digest) && stored.endsWith(row?.newestBlock);
      const rowEqual = row !== undefined && fold.faultOf(ledger) === undefined && row.fingerprint === fingerprint(comparableOfLedger(ledger));
      const { digest, moved } = this.closings.get(accountId) ?? NO_CLOSINGS;
      const closingsEqual = moved || digest.text === (ledger.days?.digest ?? NO_CLOSINGS.digest).text;
      if (!rowEqual || !closingsEqual || !(recordsEqual || (await this.chainEquals(ledger)))) suspicious.push(accountId);
      entries += ledger.entryCount;
      closings += ledger.days?.digest.count ?? 0;
    }
    for (const accountId of captured.keys()) if (!fold.accounts.has(accountId)) suspicious.push(accountId);
    return {
      compared: { accounts: fold.accounts.size, entries, 'closing balances': closings },
      faults: this.faultsOfTotals(),
      suspicious: suspicious.map((key) => ({ aggregate: ACCOUNT_AGGREGATE, key })),
    };
  }

  private boundOf(accountId: string): number {
    return Math.max(this.scope.head, this.captured.get(accountId)?.sequence ?? 0);
  }

  /** Nothing comes from nowhere: over all accounts, balances are credits less debits. */
  private faultsOfTotals(): string[] {
    const { accounts, totalCreditMinor, totalDebitMinor } = this.fold;
    let balances = 0n;
    for (const { balanceMinor } of accounts.values()) balances += balanceMinor;
    const posted = totalCreditMinor - totalDebitMinor;
    return balances === posted ? [] : [`the balances add up to ${balances}, credits less debits to ${posted}`];
  }

  /** Segments hold blocks of writes that were not finished too; the account's chain does not lead to them. */
  private async chainEquals(ledger: LedgerAccount): Promise<boolean> {
    const { copy, pause } = this.scope;
    const snapshot = await readAccount(copy, ledger.accountId, false, pause());
    if (snapshot === undefined) return false;
    return digestChain(copy, snapshot.account, this.boundOf(ledger.accountId)).then(
      (records) => records.equals(ledger.digest),
      () => false,
    );
  }
}

async function captureAccounts({ copy, partition, pause, signal }: VerificationScope): Promise<Map<string, Captured>> {
  const captured = new Map<string, Captured>();
  const query = { collection: ACCOUNT_PROFILES.name, index: 'by_partition', equals: { partition } };
  for await (const page of rowsOf(copy, query)) {
    signal.throwIfAborted();
    const accountIds = page.map((row) => row[ACCOUNT_PROFILES.key] as string);
    const snapshots = await readAccounts(copy, accountIds, true, pause());
    accountIds.forEach((accountId, index) => captured.set(accountId, capture(snapshots[index])));
  }
  return captured;
}

function capture(snapshot: AccountSnapshot | undefined): Captured {
  if (snapshot === undefined) return { sequence: 0, fingerprint: '', newestBlock: undefined };
  const { account } = snapshot;
  return { sequence: account.sequence, fingerprint: fingerprint(comparableOfSnapshot(snapshot)), newestBlock: account.spine[0] };
}

/** Short, because there is one per account in memory. */
function fingerprint(fields: ReturnType<typeof comparableOfLedger>): string {
  const text = Buffer.from(fields.map(([, value]) => value).join('\u0000'), 'utf8');
  return `${murmurHash3(text, 0, text.length, 1)}/${murmurHash3(text, 0, text.length, 2)}`;
}
