import { HeadSearch } from './head-search';

/** Searches a partition that ends at `head`; returns what was found and in how many rounds. */
function search(lastKnown: number, head: number): { found: number; rounds: number } {
  let current = new HeadSearch(lastKnown);
  for (let rounds = 1; ; rounds += 1) {
    if (!current.narrow(current.candidates(), (sequence) => sequence >= 1 && sequence <= head)) current = new HeadSearch(0);
    if (current.head !== undefined) return { found: current.head, rounds };
  }
}

test.each`
  lastKnown    | head         | rounds | why
  ${0}         | ${0}         | ${1}   | ${'empty'}
  ${0}         | ${1}         | ${1}   | ${'the first commit'}
  ${7}         | ${7}         | ${1}   | ${'it stands still'}
  ${7}         | ${8}         | ${1}   | ${'one more'}
  ${7}         | ${12}        | ${2}   | ${'between two probes'}
  ${1_000}     | ${1_900}     | ${4}   | ${'far ahead'}
  ${0}         | ${3_000_000} | ${8}   | ${'beyond the probes'}
  ${5_000_000} | ${3}         | ${3}   | ${'dropped by a repair'}
  ${5}         | ${0}         | ${2}   | ${'all dropped'}
`('from $lastKnown to $head: $why', ({ lastKnown, head, rounds }) => {
  const result = search(lastKnown, head);
  expect(result.found).toBe(head);
  expect(result.rounds).toBeLessThanOrEqual(rounds);
});

test('every head is found from every start', () => {
  for (let lastKnown = 0; lastKnown <= 40; lastKnown += 1) for (let head = 0; head <= 80; head += 1) expect(search(lastKnown, head).found).toBe(head);
});
