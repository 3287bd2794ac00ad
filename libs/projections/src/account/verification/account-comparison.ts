/** Compares one account, as the log makes it, with what the read store shows, entry by entry. */
import type { ReadCopy } from '@sluice/ports';
import { SET_ASIDE, setAsideKey } from '../../set-aside';
import type { AggregateVerification, VerificationScope } from '../../verification';
import { type AccountSnapshot, readAccount } from '../account-reader';
import { comparableOfLedger, comparableOfSnapshot, differences, type LedgerAccount, LedgerFold } from './ledger-fold';
import { digestChain } from './stored-records';

/** Captures the account's rows. */
export async function beginAccount(scope: VerificationScope, aggregate: string, accountId: string): Promise<AggregateVerification> {
  const { copy, projection, head, pause } = scope;
  const snapshot = await readAccount(copy, accountId, true, pause());
  const last = Math.max(head, snapshot?.account.sequence ?? 0);
  const fold = new LedgerFold((folded) => (folded === accountId ? last : 0));
  return {
    last,
    take: (commit) => fold.take(commit),
    compare: async () => {
      const ledger = fold.accounts.get(accountId);
      if (ledger === undefined && snapshot === undefined) return undefined;
      return {
        differences: await compareAccount(copy, ledger, snapshot, setAsideKey(projection, aggregate, accountId)),
        figures: {
          balance: { log: ledger?.balanceMinor ?? 0n, read: snapshot?.account.balanceMinor ?? 0n },
          entries: { log: BigInt(ledger?.entryCount ?? 0), read: BigInt(snapshot?.account.entryCount ?? 0) },
        },
      };
    },
  };
}

async function compareAccount(
  copy: ReadCopy,
  ledger: LedgerAccount | undefined,
  snapshot: AccountSnapshot | undefined,
  asideKey: string,
): Promise<readonly string[]> {
  if (ledger === undefined) return ['the read store has it, the log does not'];
  const found = ledger.fault === undefined ? [] : [`the log is not sound: ${ledger.fault}`];
  if (snapshot === undefined) return [...found, 'the log has it, the read store does not'];
  found.push(...differences(comparableOfLedger(ledger), comparableOfSnapshot(snapshot)));
  const aside = await copy.get(SET_ASIDE.name, asideKey);
  if (aside !== undefined) found.push(`it is set aside since sequence ${String(aside.sequence)}: ${String(aside.error)}`);
  try {
    const records = await digestChain(copy, snapshot.account, snapshot.account.sequence);
    if (!records.equals(ledger.digest)) found.push(`entries: the ${records.count} records in the read store are not the ${ledger.digest.count} of the log`);
  } catch (error) {
    found.push(`entries: ${error instanceof Error ? error.message : String(error)}`);
  }
  return found;
}
