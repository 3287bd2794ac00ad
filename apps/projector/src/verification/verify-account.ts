/** Folds one account out of the log of its partition and compares the result, entry by entry, with the read store. */
import { partitionOfKey } from '@sluice/domain';
import type { ReadCopy } from '@sluice/ports';
import { ACCOUNT_AGGREGATE, accountProjection, projectionId, readAccount, type AccountSnapshot, SET_ASIDE, setAsideKey } from '@sluice/projections';
import { type AccountVerification, UnknownAccountError } from '../projector-control';
import { commitsUpTo, pauseBetweenReads, reach, type VerificationSources } from './comparison-point';
import { comparableOfLedger, comparableOfSnapshot, differences, type LedgerAccount, LedgerFold } from './ledger-fold';
import { digestChain } from './stored-records';

export async function verifyAccount(sources: VerificationSources, accountId: string): Promise<AccountVerification> {
  const { log } = sources;
  const partition = partitionOfKey(Buffer.from(accountId, 'utf8'), log.identity.partitions);
  const head = (await log.headSequences())[partition] ?? 0;
  const copy = await reach(sources, partition, head);
  const snapshot = await readAccount(copy, accountId, true, pauseBetweenReads(sources));
  const last = Math.max(head, snapshot?.account.sequence ?? 0);
  const fold = new LedgerFold((folded) => (folded === accountId ? last : 0));
  for await (const commits of commitsUpTo(sources, partition, last)) for (const commit of commits) fold.take(commit);
  const ledger = fold.accounts.get(accountId);
  if (ledger === undefined && snapshot === undefined) throw new UnknownAccountError(accountId);
  const found = await compareAccount(copy, ledger, snapshot);
  return {
    equal: found.length === 0,
    differences: found,
    sequence: last,
    logBalanceMinor: ledger?.balanceMinor ?? 0n,
    readBalanceMinor: snapshot?.account.balanceMinor ?? 0n,
    logEntryCount: ledger?.entryCount ?? 0,
    readEntryCount: snapshot?.account.entryCount ?? 0,
  };
}

/** What differs between the two, for people. */
export async function compareAccount(copy: ReadCopy, ledger: LedgerAccount | undefined, snapshot: AccountSnapshot | undefined): Promise<string[]> {
  if (ledger === undefined) return ['the read store has it, the log does not'];
  const found = ledger.fault === undefined ? [] : [`the log is not sound: ${ledger.fault}`];
  if (snapshot === undefined) return [...found, 'the log has it, the read store does not'];
  found.push(...differences(comparableOfLedger(ledger), comparableOfSnapshot(snapshot)));
  const aside = await copy.get(SET_ASIDE.name, setAsideKey(projectionId(accountProjection), ACCOUNT_AGGREGATE, ledger.accountId));
  if (aside !== undefined) found.push(`it is set aside since sequence ${String(aside.sequence)}: ${String(aside.error)}`);
  try {
    const records = await digestChain(copy, snapshot.account, snapshot.account.sequence);
    if (!records.equals(ledger.digest)) found.push(`entries: the ${records.count} records in the read store are not the ${ledger.digest.count} of the log`);
  } catch (error) {
    found.push(`entries: ${error instanceof Error ? error.message : String(error)}`);
  }
  return found;
}
