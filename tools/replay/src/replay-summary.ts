/** What a replay says in the end, and with which exit code. */
import type { ReplayReport } from './bank-replay';

/** Mismatches that are shown; the others are counted. */
const MAXIMUM_SHOWN_MISMATCHES = 20;

export interface ReplaySummary {
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
}

export function summarizeReplay(report: ReplayReport): ReplaySummary {
  const { mismatches, transactions, accounts, repeats, withoutAmount } = report;
  const lines = mismatches.slice(0, MAXIMUM_SHOWN_MISMATCHES).map(({ text }) => `mismatch: ${text}`);
  if (mismatches.length > lines.length) lines.push(`… and ${mismatches.length - lines.length} more`);
  if (withoutAmount > 0) lines.push(`${withoutAmount} of the rows have amount 0: compared, there is nothing to post`);
  const nothingNew = repeats > 0 && repeats === transactions - withoutAmount;
  if (mismatches.length === 0 && nothingNew) {
    lines.push(`nothing changed: ${transactions} repeats`);
  } else {
    if (repeats > 0) lines.push(`${repeats} of the postings were there already, from an earlier run`);
    lines.push(`replayed ${transactions} postings, ${accounts} accounts, ${mismatches.length} mismatches`);
  }
  return { lines, exitCode: mismatches.length === 0 ? 0 : 1 };
}
