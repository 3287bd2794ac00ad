import { decideAddition, evolveCounter, newCounter } from './counter';

const MAXIMUM = 2n ** 63n - 1n;

// One row per case: what stands, what is added, what comes out. The order of the rows is the order of the checks.
test.each`
  value           | amount | outcome
  ${MAXIMUM}      | ${1n}  | ${'COUNTER_OVERFLOW'}
  ${5n}           | ${-6n} | ${'COUNTER_BELOW_ZERO'}
  ${5n}           | ${-5n} | ${0n}
  ${MAXIMUM - 1n} | ${1n}  | ${MAXIMUM}
`('$value and $amount: $outcome', ({ value, amount, outcome }: { value: bigint; amount: bigint; outcome: string | bigint }) => {
  const counter = evolveCounter(newCounter(), { amount: value, valueAfter: value, additionNumber: 1 });
  const decision = decideAddition(counter, { amount });
  expect(decision.accepted ? evolveCounter(counter, decision.event) : decision.rejection).toEqual(
    typeof outcome === 'string' ? outcome : { value: outcome, additions: 2 },
  );
});
