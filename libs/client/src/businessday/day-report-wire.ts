/** Trial balances, reports and proofs from the messages that travel. */
import type { logpb } from '@sluice/protocol';
import type { businessdaypb } from '@sluice/protocol/businessday';
import { expectedPart } from '../expected-part';
import { timeFromWire } from '../time-wire';
import { runFromWire } from './batch-run-wire';
import { lineFromWire } from './business-day-wire';
import type { DayProof, DayProofSum, DayReport, LineBalance, ProductBalance, TrialBalance } from './day-report';

export function trialBalanceFromWire(found: businessdaypb.TrialBalance | undefined): TrialBalance {
  const { products, lines, ...said } = expectedPart(found);
  return { ...said, products: products.map(productBalanceFromWire), lines: lines.map(lineBalanceFromWire) };
}

function productBalanceFromWire(balance: businessdaypb.ProductBalance): ProductBalance {
  const { openingMinor, debitMinor, creditMinor, closingMinor, accounts, accruedMicro, ...said } = balance;
  return {
    ...said,
    openingMinor: sumOf(openingMinor),
    debitMinor: sumOf(debitMinor),
    creditMinor: sumOf(creditMinor),
    closingMinor: sumOf(closingMinor),
    accounts: Number(accounts),
    accruedMicro: sumOf(accruedMicro),
  };
}

function lineBalanceFromWire({ line, debitMinor, creditMinor, ...said }: businessdaypb.LineBalance): LineBalance {
  return { ...said, line: lineFromWire(line), debitMinor: sumOf(debitMinor), creditMinor: sumOf(creditMinor) };
}

export function reportFromWire(found: businessdaypb.DayReport | undefined): DayReport {
  const { run, trialBalance, accounts, interestCreditedMinor, interestChargedMinor, matured } = expectedPart(found);
  return {
    run: runFromWire(run),
    trialBalance: trialBalanceFromWire(trialBalance),
    accounts: Number(accounts),
    interestCreditedMinor: sumOf(interestCreditedMinor),
    interestChargedMinor: sumOf(interestChargedMinor),
    matured: Number(matured),
  };
}

export function proofFromWire(found: logpb.VerifyDayResponse): DayProof {
  const { accounts, postings, failures, failureCount, openingMinor, postedMinor, closingMinor, verifiedAt } = found;
  const units = [...new Set([...Object.keys(openingMinor), ...Object.keys(postedMinor), ...Object.keys(closingMinor)])].sort();
  const sums = units.map(
    (unit): DayProofSum => ({
      unit,
      openingMinor: sumOf(openingMinor[unit]),
      postedMinor: sumOf(postedMinor[unit]),
      closingMinor: sumOf(closingMinor[unit]),
    }),
  );
  return { accounts: Number(accounts), postings, failures: [...failures], failureCount: Number(failureCount), sums, verifiedAt: timeFromWire(verifiedAt) };
}

/** Decimal text; empty or missing: 0. */
function sumOf(text: string | undefined): bigint {
  return BigInt(text ?? 0);
}
