/**
 * Counter: a value that never falls below 0.
 *
 *   nothing ──first addition──▶ value ──addition──▶ value …
 */

export interface Counter {
  value: bigint;
  /** How many additions made it; 0: there is no counter yet. */
  additions: number;
}

export interface AddToCounter {
  /** Not zero. */
  readonly amount: bigint;
}

export interface CounterAdded {
  readonly amount: bigint;
  readonly valueAfter: bigint;
  readonly additionNumber: number;
}

export type CounterRejection = 'COUNTER_OVERFLOW' | 'COUNTER_BELOW_ZERO';

export type CounterDecision = { readonly accepted: true; readonly event: CounterAdded } | { readonly accepted: false; readonly rejection: CounterRejection };

const MAXIMUM_VALUE = 2n ** 63n - 1n;

export function newCounter(): Counter {
  return { value: 0n, additions: 0 };
}

export function decideAddition({ value, additions }: Counter, { amount }: AddToCounter): CounterDecision {
  const valueAfter = value + amount;
  if (valueAfter > MAXIMUM_VALUE) return { accepted: false, rejection: 'COUNTER_OVERFLOW' };
  if (valueAfter < 0n) return { accepted: false, rejection: 'COUNTER_BELOW_ZERO' };
  return { accepted: true, event: { amount, valueAfter, additionNumber: additions + 1 } };
}

/** Changes the counter in place. */
export function evolveCounter(counter: Counter, { valueAfter, additionNumber }: CounterAdded): Counter {
  counter.value = valueAfter;
  counter.additions = additionNumber;
  return counter;
}
