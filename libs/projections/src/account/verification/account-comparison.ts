/** Compares one account, as the log makes it, with what the read store shows, entry by entry. */
import { textOfDate } from '@sluice/domain/day';
import type { ReadCopy } from '@sluice/ports';
import { SET_ASIDE, setAsideKey } from '../../set-aside';
import type { AggregateVerification, VerificationScope } from '../../verification';
import type { AccountSnapshot } from '../account-reader';
import { comparableOfLedger, comparableOfSnapshot, differences } from './account-comparable';
import { readAccountWithClosings } from './closing-scan';
import { type LedgerAccount, LedgerFold } from './ledger-fold';
import { digestChain } from './stored-records';

/** Captures the account's rows. */
export async function beginAccount(scope: VerificationScope, aggregate: string, accountId: string): Promise<AggregateVerification> {
  const { copy, partition, projection, head, pause } = scope;
  const { snapshot, closings } = await readAccountWithClosings(copy, partition, accountId, pause());
  const last = Math.max(head, snapshot?.account.sequence ?? 0);
  const fold = new LedgerFold((folded) => (folded === accountId ? last : 0), true);
  return {
    last,
    take: (commit) => fold.take(commit),
    compare: async () => {
      const ledger = fold.accounts.get(accountId);
      if (ledger === undefined && snapshot === undefined) return undefined;
      return {
        differences: await compareAccount(
          copy,
          { ledger, fault: ledger && fold.faultOf(ledger) },
          { snapshot, closings },
          setAsideKey(projection, aggregate, accountId),
        ),
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
  { ledger, fault }: { readonly ledger: LedgerAccount | undefined; readonly fault: string | undefined },
  { snapshot, closings }: { readonly snapshot: AccountSnapshot | undefined; readonly closings: ReadonlyMap<number, bigint> },
  asideKey: string,
): Promise<readonly string[]> {
  if (ledger === undefined) return ['the read store has it, the log does not'];
  const found = fault === undefined ? [] : [`the log is not sound: ${fault}`];
  if (snapshot === undefined) return [...found, 'the log has it, the read store does not'];
  found.push(...differences(comparableOfLedger(ledger), comparableOfSnapshot(snapshot)));
  found.push(...closingDifferences(ledger.days?.rows ?? new Map(), closings));
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

function closingDifferences(log: ReadonlyMap<number, bigint>, read: ReadonlyMap<number, bigint>): string[] {
  const dates = [...new Set([...log.keys(), ...read.keys()])].sort((one, other) => one - other);
  const text = (balanceMinor: bigint | undefined): string => (balanceMinor === undefined ? 'nothing' : String(balanceMinor));
  return dates
    .filter((date) => log.get(date) !== read.get(date))
    .map((date) => `closing balance of ${textOfDate(date)}: the log says ${text(log.get(date))}, the read store ${text(read.get(date))}`);
}
