/** Counters as the log makes them: values added up from the amounts, which the projection does not do. */
import type { DecodedCommit } from '@sluice/protocol';
import { counterEvents } from '@sluice/protocol/counter';
import { rowKind, verifyRows } from '../row-verification';
import { COUNTER_TOTALS, COUNTERS } from './collections';

interface Sum {
  readonly value: bigint;
  readonly additions: number;
}

function eachAddition(commit: DecodedCommit, visit: (counterId: string, amount: bigint, isFirst: boolean) => void): void {
  const handlers = {
    CounterAdded: ({ counterId, amount, additionNumber }: { counterId: string; amount: bigint; additionNumber: bigint }) =>
      visit(counterId, amount, additionNumber === 1n),
  };
  for (const event of commit.events) if (counterEvents.owns(event.type)) counterEvents.read(event, commit, handlers, undefined);
}

export const counterVerification = verifyRows(
  rowKind<Sum>({
    aggregate: 'counter',
    collection: COUNTERS,
    counted: 'counters',
    fold: (commit, change) =>
      eachAddition(commit, (counterId, amount) => change(counterId, (sum) => ({ value: (sum?.value ?? 0n) + amount, additions: (sum?.additions ?? 0) + 1 }))),
    row: ({ value, additions }) => ({ value, additions }),
  }),
  rowKind<{ readonly counters: number; readonly value: bigint }>({
    aggregate: 'counter_totals',
    collection: COUNTER_TOTALS,
    keyOf: String,
    counted: 'counter totals',
    fold: (commit, change) =>
      eachAddition(commit, (_counterId, amount, isFirst) =>
        change(String(commit.partition), (totals) => ({ counters: (totals?.counters ?? 0) + (isFirst ? 1 : 0), value: (totals?.value ?? 0n) + amount })),
      ),
    row: ({ counters, value }) => ({ counters, value }),
  }),
);
