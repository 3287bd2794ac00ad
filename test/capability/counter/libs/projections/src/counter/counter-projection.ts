/** The projection of counters: the newest value, and counts of each partition, which come from the events alone. */
import type { Row } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { counterEvents } from '@sluice/protocol/counter';
import type { Projection } from '../projection';
import { projectedRows, projectRows } from '../row-projection';
import { COUNTER_TOTALS, COUNTERS } from './collections';
import { counterVerification } from './counter-verification';

interface Added {
  readonly amount: bigint;
  readonly valueAfter: bigint;
  readonly additionNumber: number;
}

interface Counter {
  readonly value: bigint;
  readonly additions: number;
}

interface Totals {
  readonly counters: number;
  readonly value: bigint;
}

function readCounterEvent(commit: DecodedCommit, event: EventRecord, visit: (counterId: string, added: Added) => void): boolean {
  if (!counterEvents.owns(event.type)) return false;
  const handlers = {
    CounterAdded: ({ counterId, amount, valueAfter, additionNumber }: { counterId: string; amount: bigint; valueAfter: bigint; additionNumber: bigint }) =>
      visit(counterId, { amount, valueAfter, additionNumber: Number(additionNumber) }),
  };
  counterEvents.read(event, commit, handlers, undefined);
  return true;
}

export const counterOf = (row: Row): Counter => ({ value: row.value as bigint, additions: row.additions as number });
export const totalsOf = (row: Row): Totals => ({ counters: row.counters as number, value: row.value as bigint });

const counterRows = projectedRows<Counter, Added>({
  aggregate: 'counter',
  collection: COUNTERS,
  read: readCounterEvent,
  evolve: (counter, { valueAfter, additionNumber }) => {
    const before = counter?.additions ?? 0;
    if (additionNumber !== before + 1) throw new Error(`addition ${additionNumber} follows ${before}`);
    return { value: valueAfter, additions: additionNumber };
  },
  row: ({ value, additions }, partition) => ({ partition, value, additions }),
  stateOf: counterOf,
});

const totalRows = projectedRows<Totals, Added>({
  aggregate: 'counter_totals',
  collection: COUNTER_TOTALS,
  read: (commit, event, visit) => readCounterEvent(commit, event, (_counterId, added) => visit(String(commit.partition), added)),
  evolve: (totals, { amount, additionNumber }) => ({
    counters: (totals?.counters ?? 0) + (additionNumber === 1 ? 1 : 0),
    value: (totals?.value ?? 0n) + amount,
  }),
  row: ({ counters, value }, partition) => ({ partition, counters, value }),
  stateOf: totalsOf,
});

export const counterProjection: Projection = {
  name: 'counter',
  format: 1,
  ...projectRows(counterRows, totalRows),
  verification: counterVerification,
};
