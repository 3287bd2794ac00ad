import fc from 'fast-check';
import { ContestMembers } from './contest-members';
import { largestPayout, rewardsOf, sharesOf, type ContestReward, type RewardKind } from './contest-reward';
import type { TieRule } from './contest-rules';

const reward = (kind: RewardKind, amountMinor: bigint): ContestReward => ({ fundAccountId: 'fund', unit: 'EUR', kind, amountMinor });

test.each`
  kind              | tieRule     | sides        | capacity | payout
  ${'FIXED'}        | ${'NONE'}   | ${[3, 5, 2]} | ${10}    | ${500n}
  ${'FIXED'}        | ${'SPLIT'}  | ${[3, 5, 2]} | ${10}    | ${500n}
  ${'FIXED'}        | ${'SHARED'} | ${[3, 5, 2]} | ${10}    | ${1_000n}
  ${'FIXED'}        | ${'SHARED'} | ${[9, 9, 9]} | ${10}    | ${1_000n}
  ${'POT'}          | ${'NONE'}   | ${[3, 5, 2]} | ${10}    | ${100n}
  ${'POT'}          | ${'SPLIT'}  | ${[3, 5, 2]} | ${10}    | ${100n}
  ${'CONTRIBUTION'} | ${'SHARED'} | ${[3, 5, 2]} | ${10}    | ${300n}
`(
  '$kind of 100 under $tieRule, sides of $sides: at most $payout',
  ({ kind, tieRule, sides, capacity, payout }: { kind: RewardKind; tieRule: TieRule; sides: number[]; capacity: number; payout: bigint }) => {
    expect(largestPayout(reward(kind, 100n), tieRule, sides, capacity)).toBe(payout);
  },
);

test.each`
  amount  | points          | shares
  ${10n}  | ${[0, 0, 0]}    | ${[4n, 3n, 3n]}
  ${2n}   | ${[0, 0, 0]}    | ${[1n, 1n, 0n]}
  ${9n}   | ${[1, 1, 1]}    | ${[3n, 3n, 3n]}
  ${10n}  | ${[1, 1, 1]}    | ${[4n, 3n, 3n]}
  ${10n}  | ${[1, 2, 0]}    | ${[3n, 7n, 0n]}
  ${100n} | ${[1, 1, 5]}    | ${[14n, 14n, 72n]}
  ${1n}   | ${[1, 9, 9, 1]} | ${[0n, 1n, 0n, 0n]}
`('$amount shared by $points: $shares', ({ amount, points, shares }: { amount: bigint; points: number[]; shares: bigint[] }) => {
  expect(sharesOf(amount, points)).toEqual(shares);
});

/** Members in the order of joining: the side of each, and its points. */
function membersOf(...rows: (readonly [side: number, points: number])[]): ContestMembers {
  const members = new ContestMembers();
  for (const [at, [side, total]] of rows.entries()) members.add({ accountId: `m${at}`, side, total, roundPoints: 0, scoredAtUs: 0 });
  return members;
}

const MEMBERS = membersOf([0, 3], [1, 1], [0, 1], [1, 0], [2, 9], [0, 0]);

// By member: sides 0, 1, 0, 1, 2, 0.
test.each`
  kind              | amount | tieRule     | winners      | rewards
  ${'FIXED'}        | ${100} | ${'NONE'}   | ${[]}        | ${[0, 0, 0, 0, 0, 0]}
  ${'FIXED'}        | ${100} | ${'NONE'}   | ${[0]}       | ${[100, 0, 100, 0, 0, 100]}
  ${'FIXED'}        | ${100} | ${'SHARED'} | ${[0, 1]}    | ${[100, 100, 100, 100, 0, 100]}
  ${'FIXED'}        | ${101} | ${'SPLIT'}  | ${[0, 1]}    | ${[51, 51, 50, 50, 0, 50]}
  ${'FIXED'}        | ${1}   | ${'SPLIT'}  | ${[0, 2]}    | ${[1, 0, 0, 0, 0, 0]}
  ${'POT'}          | ${100} | ${'NONE'}   | ${[0]}       | ${[34, 0, 33, 0, 0, 33]}
  ${'POT'}          | ${100} | ${'SPLIT'}  | ${[0, 1]}    | ${[17, 25, 17, 25, 0, 16]}
  ${'POT'}          | ${101} | ${'SPLIT'}  | ${[0, 1, 2]} | ${[12, 17, 11, 17, 33, 11]}
  ${'POT'}          | ${100} | ${'SHARED'} | ${[1, 2]}    | ${[0, 50, 0, 50, 100, 0]}
  ${'CONTRIBUTION'} | ${100} | ${'NONE'}   | ${[0]}       | ${[75, 0, 25, 0, 0, 0]}
  ${'CONTRIBUTION'} | ${100} | ${'SPLIT'}  | ${[1, 2]}    | ${[0, 50, 0, 0, 50, 0]}
`(
  '$kind of $amount under $tieRule, won by $winners: $rewards',
  ({ kind, amount, tieRule, winners, rewards }: { kind: RewardKind; amount: number; tieRule: TieRule; winners: number[]; rewards: number[] }) => {
    expect([...rewardsOf(reward(kind, BigInt(amount)), tieRule, winners, MEMBERS)].map(Number)).toEqual(rewards);
  },
);

const contestArbitrary = fc
  .record({
    kind: fc.constantFrom<RewardKind>('FIXED', 'POT', 'CONTRIBUTION'),
    amountMinor: fc.bigInt({ min: 1n, max: 100_000_000_000_000n }),
    tieRule: fc.constantFrom<TieRule>('NONE', 'SPLIT', 'SHARED', 'SUDDEN_DEATH'),
    rows: fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 50 })), { maxLength: 30 }),
    winners: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
  })
  // Every side has a member.
  .map(({ rows, ...rest }) => ({ ...rest, rows: [...[0, 1, 2, 3].map((side): [number, number] => [side, 0]), ...rows] }))
  .map((asked) => (asked.tieRule === 'SPLIT' || asked.tieRule === 'SHARED' ? asked : { ...asked, winners: asked.winners.slice(0, 1) }));

test('what the winners get is never more than the largest payout, and a pot is paid to the unit', () => {
  fc.assert(
    fc.property(contestArbitrary, ({ kind, amountMinor, tieRule, rows, winners }) => {
      const members = membersOf(...rows);
      const counts = [0, 1, 2, 3].map((side) => rows.filter(([of]) => of === side).length);
      const rewards = rewardsOf(reward(kind, amountMinor), tieRule, winners, members);
      const paid = rewards.reduce((sum, one) => sum + one, 0n);
      expect(paid <= largestPayout(reward(kind, amountMinor), tieRule, counts, rows.length)).toBe(true);
      expect(rewards.every((one, member) => one >= 0n && (one === 0n || winners.includes(members.sides[member] as number)))).toBe(true);
      if (kind !== 'FIXED') expect(paid).toBe(amountMinor * BigInt(tieRule === 'SHARED' ? winners.length : 1));
    }),
  );
});
