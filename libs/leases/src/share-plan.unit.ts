import { planMoves } from './share-plan';

/** "aab-" is: a has 0 and 1, b has 2, nobody has 3. */
function holdersOf(text: string): Map<number, string> {
  return new Map([...text].map((holder, partition) => [partition, holder] as const).filter(([, holder]) => holder !== '-'));
}

/** What the plan comes to: every move carried out. */
function planned(instances: string, holders: string): string {
  const moves = planMoves([...instances], holdersOf(holders), holders.length);
  return [...holders].map((holder, partition) => moves.get(partition) ?? holder).join('');
}

test.each`
  instances  | holders   | outcome
  ${''}      | ${'----'} | ${'----'}
  ${'a'}     | ${'----'} | ${'aaaa'}
  ${'ab'}    | ${'----'} | ${'aabb'}
  ${'ba'}    | ${'----'} | ${'aabb'}
  ${'ab'}    | ${'aaaa'} | ${'aabb'}
  ${'abc'}   | ${'aaaa'} | ${'aabc'}
  ${'abc'}   | ${'aabb'} | ${'aabc'}
  ${'ab'}    | ${'bab'}  | ${'bab'}
  ${'abcde'} | ${'aabb'} | ${'acbd'}
  ${'ab'}    | ${'cccc'} | ${'aabb'}
  ${'ab'}    | ${'aacb'} | ${'aabb'}
  ${'a'}     | ${'aabb'} | ${'aaaa'}
  ${'ab'}    | ${'a--b'} | ${'aabb'}
  ${'aab'}   | ${'aaaa'} | ${'aabb'}
`('instances $instances with partitions $holders: $outcome', ({ instances, holders, outcome }: Record<string, string>) => {
  expect(planned(instances as string, holders as string)).toBe(outcome);
});

test.each`
  instances | holders
  ${'ab'}   | ${'aaaaaaaa'}
  ${'abc'}  | ${'aaaaaaaa'}
  ${'abc'}  | ${'aaaaabbb'}
  ${'abcd'} | ${'aabbccc--'}
  ${'bcd'}  | ${'aaaabbbb'}
`('in whatever order moves are carried out, the others stay as planned: $instances, $holders', ({ instances, holders }: Record<string, string>) => {
  const all = [...(instances as string)];
  const before = holdersOf(holders as string);
  const plan = planMoves(all, before, (holders as string).length);
  for (const [first, heir] of plan) {
    const after = new Map(before).set(first, heir);
    const rest = new Map([...plan].filter(([partition]) => partition !== first));
    expect(planMoves(all, after, (holders as string).length)).toEqual(rest);
  }
});
