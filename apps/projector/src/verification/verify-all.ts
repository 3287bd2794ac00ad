/**
 * Folds the whole log and compares it with the read store, partition by partition (memory is bounded by the largest one),
 * while both go on:
 *
 *   1. the rows of all accounts are captured, as fingerprints, each with the sequence that it reflects;
 *   2. the log is folded, each account up to its captured sequence, none less far than the log's head at the start;
 *   3. the entry segments are scanned, each account's records up to the same sequence;
 *   4. who differs is looked at closely: its chain of entries is walked, and if it still differs, its row is read again.
 */
import { murmurHash3 } from '@sluice/domain';
import type { ReadCopy } from '@sluice/ports';
import { ACCOUNT_PROFILES, type AccountSnapshot, type BlockPointer, readAccount, readAccounts } from '@sluice/projections';
import type { Report, VerificationProgress } from '../projector-control';
import { rowsOf } from '../row-loading';
import { commitsUpTo, pauseBetweenReads, reach, type VerificationSources } from './comparison-point';
import { comparableOfLedger, comparableOfSnapshot, type LedgerAccount, LedgerFold } from './ledger-fold';
import { scanSegments } from './segment-scan';
import { digestChain } from './stored-records';
import { verifyAccount } from './verify-account';

/** Differences that are reported; the others are counted. */
const REPORTED_DIFFERENCES = 100;
/** Accounts that are looked at closely: each costs a pass over its partition's log. */
const CLOSE_LOOKS = 20;

interface Captured {
  readonly sequence: number;
  readonly fingerprint: string;
  readonly newestBlock: BlockPointer | undefined;
}

export async function verifyAll(sources: VerificationSources & { readonly report: Report<VerificationProgress> }): Promise<void> {
  const heads = await sources.log.headSequences();
  const run = new VerificationRun(sources, heads);
  run.tell(false);
  for (const [partition, head] of heads.entries()) await run.verifyPartition(partition, head);
  run.tell(true);
}

class VerificationRun {
  private doneCommits = 0;
  private totalCommits: number;
  private accounts = 0;
  private entries = 0;
  private different = 0;
  private closeLooks = 0;
  private readonly differences: string[] = [];

  constructor(
    private readonly sources: VerificationSources & { readonly report: Report<VerificationProgress> },
    heads: readonly number[],
  ) {
    this.totalCommits = heads.reduce((sum, head) => sum + head, 0);
  }

  tell(finished: boolean): void {
    const { doneCommits, totalCommits, accounts, entries, differences, different } = this;
    this.sources.report({ doneCommits, totalCommits, accounts, entries, differences: [...differences], finished, equal: finished && different === 0 });
  }

  async verifyPartition(partition: number, head: number): Promise<void> {
    const copy = await reach(this.sources, partition, head);
    const captured = await this.capture(copy, partition);
    let last = head;
    for (const { sequence } of captured.values()) last = Math.max(last, sequence);
    this.totalCommits += last - head;
    const boundOf = (accountId: string): number => Math.max(head, captured.get(accountId)?.sequence ?? 0);
    const fold = new LedgerFold(boundOf);
    for await (const commits of commitsUpTo(this.sources, partition, last)) {
      for (const commit of commits) fold.take(commit);
      this.doneCommits += commits.length;
      this.tell(false);
    }
    this.checkTotals(partition, fold);
    await this.compare(copy, partition, fold, captured, boundOf);
    this.tell(false);
  }

  private async capture(copy: ReadCopy, partition: number): Promise<Map<string, Captured>> {
    const captured = new Map<string, Captured>();
    const query = { collection: ACCOUNT_PROFILES.name, index: 'by_partition', equals: { partition } };
    for await (const page of rowsOf(copy, query)) {
      this.sources.signal.throwIfAborted();
      const accountIds = page.map((row) => row[ACCOUNT_PROFILES.key] as string);
      const snapshots = await readAccounts(copy, accountIds, true, pauseBetweenReads(this.sources));
      accountIds.forEach((accountId, index) => captured.set(accountId, capture(snapshots[index])));
    }
    return captured;
  }

  /** Nothing comes from nowhere: over all accounts, balances are credits less debits. */
  private checkTotals(partition: number, fold: LedgerFold): void {
    let balances = 0n;
    for (const { balanceMinor } of fold.accounts.values()) balances += balanceMinor;
    const posted = fold.totalCreditMinor - fold.totalDebitMinor;
    if (balances !== posted) this.differ(`partition ${partition}: the balances add up to ${balances}, credits less debits to ${posted}`);
  }

  private async compare(
    copy: ReadCopy,
    partition: number,
    fold: LedgerFold,
    captured: ReadonlyMap<string, Captured>,
    boundOf: (accountId: string) => number,
  ): Promise<void> {
    const scanned = await scanSegments(copy, partition, boundOf, this.sources.signal);
    const suspicious: string[] = [];
    for (const [accountId, ledger] of fold.accounts) {
      const row = captured.get(accountId);
      const stored = scanned.get(accountId);
      const recordsEqual = stored === undefined ? ledger.digest.count === 0 : stored.digest.equals(ledger.digest) && stored.endsWith(row?.newestBlock);
      const rowEqual = row !== undefined && ledger.fault === undefined && row.fingerprint === fingerprintOfLedger(ledger);
      if (!rowEqual || !(recordsEqual || (await this.chainEquals(copy, ledger, boundOf(accountId))))) suspicious.push(accountId);
      this.accounts += 1;
      this.entries += ledger.entryCount;
    }
    for (const accountId of captured.keys()) if (!fold.accounts.has(accountId)) suspicious.push(accountId);
    for (const accountId of suspicious) await this.lookClosely(accountId);
  }

  /** Segments hold blocks of writes that were not finished too; the account's chain does not lead to them. */
  private async chainEquals(copy: ReadCopy, ledger: LedgerAccount, bound: number): Promise<boolean> {
    const snapshot = await readAccount(copy, ledger.accountId, false, pauseBetweenReads(this.sources));
    if (snapshot === undefined) return false;
    return digestChain(copy, snapshot.account, bound).then(
      (records) => records.equals(ledger.digest),
      () => false,
    );
  }

  private async lookClosely(accountId: string): Promise<void> {
    this.closeLooks += 1;
    if (this.closeLooks > CLOSE_LOOKS) {
      this.differ(`account "${accountId}": differs`);
      return;
    }
    const { differences } = await verifyAccount(this.sources, accountId);
    for (const difference of differences) this.differ(`account "${accountId}": ${difference}`);
  }

  private differ(difference: string): void {
    this.different += 1;
    if (this.differences.length < REPORTED_DIFFERENCES) this.differences.push(difference);
  }
}

function capture(snapshot: AccountSnapshot | undefined): Captured {
  if (snapshot === undefined) return { sequence: 0, fingerprint: '', newestBlock: undefined };
  const { account } = snapshot;
  return {
    sequence: account.sequence,
    fingerprint: fingerprint(comparableOfSnapshot(snapshot)),
    newestBlock: account.spine[0],
  };
}

const fingerprintOfLedger = (ledger: LedgerAccount): string => fingerprint(comparableOfLedger(ledger));

/** Short, because there is one per account in memory. */
function fingerprint(fields: ReturnType<typeof comparableOfLedger>): string {
  const text = Buffer.from(fields.map(([, value]) => value).join('\u0000'), 'utf8');
  return `${murmurHash3(text, 0, text.length, 1)}/${murmurHash3(text, 0, text.length, 2)}`;
}
