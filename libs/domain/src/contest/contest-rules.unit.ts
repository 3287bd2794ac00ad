import { problemOfRules, problemOfSides, type ContestRules } from './contest-rules';

const RULES: ContestRules = {
  rounds: 1,
  roundDurationMs: 0,
  joinUntilUs: 0,
  minimumMembersPerSide: 1,
  maximumMembersPerSide: 20_000,
  maximumPointsPerScore: 1_000_000_000_000,
  maximumPointsPerMemberAndRound: 0,
  operator: 'INCREMENT',
  winnerRule: 'CUMULATIVE',
  tieRule: 'NONE',
  reconcileWaitMs: 0,
};

const reward = (amountMinor: bigint) => ({ fundAccountId: 'fund', unit: 'EUR', kind: 'FIXED' as const, amountMinor });

test.each`
  change                                                      | field
  ${{}}                                                       | ${undefined}
  ${{ rounds: 0 }}                                            | ${'rules.rounds'}
  ${{ rounds: 101 }}                                          | ${'rules.rounds'}
  ${{ roundDurationMs: -1 }}                                  | ${'rules.round_duration_ms'}
  ${{ roundDurationMs: 2_678_400_001 }}                       | ${'rules.round_duration_ms'}
  ${{ joinUntilUs: -1 }}                                      | ${'rules.join_until_us'}
  ${{ minimumMembersPerSide: 20_001 }}                        | ${'rules.minimum_members_per_side'}
  ${{ minimumMembersPerSide: 3, maximumMembersPerSide: 2 }}   | ${'rules.maximum_members_per_side'}
  ${{ maximumPointsPerScore: 1_000_000_000_001 }}             | ${'rules.maximum_points_per_score'}
  ${{ maximumPointsPerMemberAndRound: -1 }}                   | ${'rules.maximum_points_per_member_and_round'}
  ${{ reconcileWaitMs: 60_001 }}                              | ${'rules.reconcile_wait_ms'}
  ${{ rounds: 100, joinUntilUs: 1, reconcileWaitMs: 60_000 }} | ${undefined}
  ${{ reward: reward(0n) }}                                   | ${'rules.reward.amount_minor'}
  ${{ reward: reward(100_000_000_000_001n) }}                 | ${'rules.reward.amount_minor'}
  ${{ reward: reward(100_000_000_000_000n) }}                 | ${undefined}
`('rules with $change: $field', ({ change, field }: { change: Partial<ContestRules>; field: string | undefined }) => {
  expect(problemOfRules({ ...RULES, ...change })?.field).toBe(field);
});

const side = (sideId: string, ...accountIds: string[]) => ({ sideId, accountIds });
const many = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `m${from + at}`);

test.each`
  sides                                                                                      | problem
  ${[side('a', 'x'), side('b', 'y')]}                                                        | ${undefined}
  ${[side('a'), side('b')]}                                                                  | ${undefined}
  ${[side('a', 'x')]}                                                                        | ${'has 1 sides; it must have 2 to 64'}
  ${Array.from({ length: 65 }, (_, at) => side(`s${at}`))}                                   | ${'has 65 sides; it must have 2 to 64'}
  ${[side('a', 'x'), side('a', 'y')]}                                                        | ${'has the id "a", which another side has'}
  ${[side('a', 'x'), side('b', 'x')]}                                                        | ${'has the account "x", which is a member already'}
  ${[side('a', 'x', 'x'), side('b', 'y')]}                                                   | ${'has the account "x", which is a member already'}
  ${[side('a', ...many(10_001)), side('b')]}                                                 | ${'has 10001 members; the rules allow 10000'}
  ${[side('a', ...many(10_000)), side('b', ...many(10_000, 10_000)), side('c', 'one more')]} | ${'has 20001 members; a contest has at most 20000'}
`('sides: $problem', ({ sides, problem }: { sides: ReturnType<typeof side>[]; problem: string | undefined }) => {
  expect(problemOfSides(sides, { ...RULES, maximumMembersPerSide: 10_000 })?.problem).toBe(problem);
});
