/** The money of contests, case by case and as properties: what the fund gave is paid or returned, to the unit, whatever happens on the way. */
import fc from 'fast-check';
import { evolveContest, newContest, type Contest, type ContestEvent } from './contest';
import type { ContestAcceptance, MoneyOrder } from './contest-decision';
import { decideSettled, REWARDS_PER_STEP, type SettledMoney } from './contest-money';
import type { RewardKind } from './contest-reward';
import type { ContestRules, TieRule } from './contest-rules';
import { decideContest, type ContestCommand } from './decide';
import { gatherEvents } from './gathered-events';

const RULES: ContestRules = {
  rounds: 1,
  roundDurationMs: 0,
  joinUntilUs: 0,
  minimumMembersPerSide: 1,
  maximumMembersPerSide: 20_000,
  maximumPointsPerScore: 1_000,
  maximumPointsPerMemberAndRound: 0,
  operator: 'INCREMENT',
  winnerRule: 'CUMULATIVE',
  tieRule: 'NONE',
  reconcileWaitMs: 0,
  reward: { fundAccountId: 'fund', unit: 'EUR', kind: 'FIXED', amountMinor: 100n },
};
const NOT_READ = { read: undefined, notCompared: 'no read store' };
const SIDES = [
  { sideId: 'red', accountIds: ['r1', 'r2'] },
  { sideId: 'blue', accountIds: ['b1'] },
];

/** A contest with its fund and its members' accounts, which answer what is asked of them in turn. */
class Money {
  readonly contest: Contest = newContest('c');
  readonly asked: MoneyOrder[] = [];
  readonly events: ContestEvent[] = [];
  timer = 'none';
  atUs = 1_000_000;

  constructor(rules: Partial<ContestRules> = {}, sides = SIDES) {
    this.run({ kind: 'create', rules: { ...RULES, ...rules }, sides, title: '' });
  }

  /** Returns "yes", or why not. */
  run(command: ContestCommand): string {
    const decision = decideContest(this.contest, command, this.atUs);
    if (!decision.accepted) return decision.rejection;
    this.take(decision);
    return 'yes';
  }

  /** The oldest order is answered. @param reason empty: it is accepted. */
  answer(reason = ''): this {
    const [order] = this.asked.splice(0, 1);
    if (order === undefined) throw new Error('nothing is asked');
    this.take(decideSettled(this.contest, settledOf(order, reason), this.atUs));
    return this;
  }

  private take({ events, money = [], timer }: ContestAcceptance): void {
    for (const event of events) evolveContest(this.contest, event);
    this.events.push(...events);
    this.asked.push(...money);
    if (timer !== undefined) this.timer = timer.kind === 'cancel' ? 'none' : timer.command;
  }

  score(accountId: string, points: number): this {
    this.run({ kind: 'score', requestId: 's', accountId, points, scoredAtUs: 0 });
    return this;
  }

  /** The end of the round, and what its scores make of it. */
  end(): this {
    const { round, sideRoundPoints, roundScoreCount } = this.contest;
    this.run({ kind: 'endRound', round });
    this.run({ kind: 'reconcile', round, log: { sidePoints: [...sideRoundPoints], scoreCount: roundScoreCount, sequence: 9 }, ...NOT_READ });
    return this;
  }

  payNext(): this {
    this.run({ kind: 'payRewards' });
    return this;
  }

  started(): this {
    this.run({ kind: 'start' });
    return this.answer();
  }

  get standing(): string {
    const { phase, fund } = this.contest;
    return `${phase}, ${fund === undefined ? 'no fund' : `${fund.amountMinor} ${fund.state}`}`;
  }
}

function settledOf(order: MoneyOrder, reason: string): SettledMoney {
  switch (order.kind) {
    case 'takeFunds':
      return { kind: 'takeFunds', reason };
    case 'payFunds':
      return { ...order, reason };
    case 'settleFunds':
      return { kind: 'settleFunds', returnedMinor: order.returnedMinor };
    default:
      return order satisfies never;
  }
}

const start: ContestCommand = { kind: 'start' };

describe('the fund', () => {
  test('is asked for the largest payout before the first round, and gives it', () => {
    const money = new Money();
    expect(money.run(start)).toBe('yes');
    expect([money.standing, money.asked]).toEqual(['STARTING, 200 ASKED', [{ kind: 'takeFunds', amountMinor: 200n, attempt: 1 }]]);
    expect(money.run(start)).toBe('CONTEST_STARTED');
    expect(money.run({ kind: 'score', requestId: 's', accountId: 'r1', points: 1, scoredAtUs: 0 })).toBe('CONTEST_NOT_STARTED');
    expect([money.answer().standing, money.contest.round]).toEqual(['RUNNING, 200 HELD', 1]);
  });

  test('is asked for as many members as a side may have while members may join', () => {
    const money = new Money({ joinUntilUs: 2_000_000, maximumMembersPerSide: 7 });
    money.run(start);
    expect(money.asked).toEqual([{ kind: 'takeFunds', amountMinor: 700n, attempt: 1 }]);
    expect(money.run({ kind: 'join', sideId: 'blue', accountIds: ['b2'] })).toBe('yes');
  });

  test('that refuses leaves the contest as it was, to be started anew', () => {
    const money = new Money();
    money.run(start);
    expect([money.answer('INSUFFICIENT_FUNDS').standing, money.events.at(-1)]).toEqual([
      'CREATED, 200 REFUSED',
      { kind: 'fundRefused', reason: 'INSUFFICIENT_FUNDS' },
    ]);
    expect(money.run(start)).toBe('yes');
    expect(money.asked).toEqual([{ kind: 'takeFunds', amountMinor: 200n, attempt: 2 }]);
    expect(money.answer().standing).toBe('RUNNING, 200 HELD');
  });

  test.each`
    story                                          | then                      | standing
    ${(money: Money) => money}                     | ${[]}                     | ${'CANCELLED, no fund'}
    ${(money: Money) => (money.run(start), money)} | ${[]}                     | ${'CANCELLED, 200 ASKED'}
    ${(money: Money) => (money.run(start), money)} | ${['INSUFFICIENT_FUNDS']} | ${'CANCELLED, 200 REFUSED'}
    ${(money: Money) => (money.run(start), money)} | ${['']}                   | ${'CANCELLED, 200 SETTLING'}
    ${(money: Money) => (money.run(start), money)} | ${['', '']}               | ${'CANCELLED, 200 SETTLED'}
    ${(money: Money) => money.started()}           | ${[]}                     | ${'CANCELLED, 200 SETTLING'}
    ${(money: Money) => money.started()}           | ${['']}                   | ${'CANCELLED, 200 SETTLED'}
  `('of a cancelled contest: $standing', ({ story, then, standing }: { story: (money: Money) => Money; then: string[]; standing: string }) => {
    const money = story(new Money());
    expect(money.run({ kind: 'cancel', note: '' })).toBe('yes');
    for (const reason of then) money.answer(reason);
    expect(money.standing).toBe(standing);
    if (standing.endsWith('SETTLED')) expect(money.events.at(-1)).toEqual({ kind: 'fundSettled', heldMinor: 200n, paidMinor: 0n, returnedMinor: 200n });
  });
});

describe('rewards', () => {
  test('are owed to every member of the winning side, and the rest goes back', () => {
    const money = new Money().started().score('b1', 2).score('r1', 1).end();
    expect([money.standing, money.timer]).toEqual(['REWARDING, 200 HELD', 'payRewards']);
    expect(money.payNext().asked).toEqual([{ kind: 'payFunds', accountId: 'b1', amountMinor: 100n }]);
    expect(money.answer().asked).toEqual([{ kind: 'settleFunds', amountMinor: 200n, returnedMinor: 100n }]);
    expect([money.standing, money.answer().standing]).toEqual(['REWARDING, 200 SETTLING', 'ENDED, 200 SETTLED']);
    expect(money.events.at(-1)).toEqual({ kind: 'fundSettled', heldMinor: 200n, paidMinor: 100n, returnedMinor: 100n });
  });

  test('that an account refuses are listed, and go back to the fund', () => {
    const money = new Money().started().score('r1', 1).end().payNext().answer('TARGET_CLOSED').answer();
    expect(money.events.slice(-2)).toEqual([
      { kind: 'rewardsSettled', rewards: [{ member: 0, accountId: 'r1', amountMinor: 100n, reason: 'TARGET_CLOSED' }] },
      { kind: 'rewardsSettled', rewards: [{ member: 1, accountId: 'r2', amountMinor: 100n, reason: '' }] },
    ]);
    expect(money.asked).toEqual([{ kind: 'settleFunds', amountMinor: 200n, returnedMinor: 100n }]);
  });

  test.each<[string, Partial<ContestRules>]>([
    ['nobody wins', {}],
    ['nothing is left for a winner', { tieRule: 'SPLIT', reward: { fundAccountId: 'fund', unit: 'EUR', kind: 'FIXED', amountMinor: 1n } }],
  ])('are none where %s: the fund gets everything back', (_where, rules) => {
    const sides = [
      { sideId: 'red', accountIds: ['r1'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    const money = new Money(rules, sides).started().end().payNext();
    const held = money.contest.fund?.amountMinor;
    expect(money.asked).toEqual([{ kind: 'settleFunds', amountMinor: held, returnedMinor: held }]);
    expect(money.answer().contest.phase).toBe('ENDED');
  });

  test('are owed in steps of a thousand', () => {
    const sides = [
      { sideId: 'red', accountIds: Array.from({ length: 2_500 }, (_, at) => `r${at}`) },
      { sideId: 'blue', accountIds: ['b'] },
    ];
    const money = new Money({}, sides).started().score('r1', 1).end();
    const owed: number[] = [];
    for (; money.timer === 'payRewards'; owed.push(money.asked.length)) {
      money.timer = 'none';
      money.payNext();
    }
    expect([REWARDS_PER_STEP, owed]).toEqual([1_000, [1_000, 2_000, 2_500]]);
    // A timer that fires again changes nothing.
    const { length } = money.events;
    expect([money.payNext().asked.length, money.events.length]).toEqual([2_500, length]);
  });

  test.each<ContestCommand>([
    { kind: 'start' },
    { kind: 'cancel', note: '' },
    { kind: 'endRound', round: 1 },
    { kind: 'join', sideId: 'red', accountIds: ['x'] },
  ])('are the end of the contest for callers: $kind', (command) => {
    expect(new Money().started().score('r1', 1).end().run(command)).toBe('CONTEST_FINISHED');
  });
});

describe('a gift', () => {
  const gift = { giverAccountId: 'giver', amountMinor: 5n, unit: 'EUR' };

  test('scores like a score, and its event says who gave what', () => {
    const money = new Money().started();
    expect(money.run({ kind: 'score', requestId: 'g', accountId: 'r1', points: 5, scoredAtUs: 0, gift })).toBe('yes');
    expect(money.events.at(-1)).toMatchObject({ kind: 'scored', scores: [{ requestId: 'g', points: 5, gift }] });
  });

  test('that cannot be read is refused', () => {
    expect(new Money().started().run({ kind: 'invalidGift' })).toBe('CONTEST_GIFT_INVALID');
  });
});

const REASONS = ['', '', 'TARGET_CLOSED'];

const storyArbitrary = fc.record({
  kind: fc.constantFrom<RewardKind>('FIXED', 'POT', 'CONTRIBUTION'),
  tieRule: fc.constantFrom<TieRule>('NONE', 'SPLIT', 'SHARED'),
  amountMinor: fc.bigInt({ min: 1n, max: 1_000n }),
  members: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  scores: fc.array(fc.tuple(fc.constantFrom('r', 'b'), fc.nat({ max: 4 }), fc.integer({ min: 1, max: 9 })), { maxLength: 12 }),
  reasons: fc.array(fc.constantFrom(...REASONS), { minLength: 12, maxLength: 12 }),
  cancelAt: fc.option(fc.constantFrom('starting', 'running', 'reconciling')),
});

test('what the fund gave is paid or returned to the unit, and each member is paid once', () => {
  fc.assert(
    fc.property(storyArbitrary, ({ kind, tieRule, amountMinor, members, scores, reasons, cancelAt }) => {
      const sides = ['r', 'b'].map((side, at) => ({ sideId: side, accountIds: Array.from({ length: members[at] as number }, (_, of) => `${side}${of}`) }));
      const money = new Money({ tieRule, reward: { fundAccountId: 'fund', unit: 'EUR', kind, amountMinor } }, sides);
      money.run(start);
      const cancel = (when: string): void => void (cancelAt === when && money.run({ kind: 'cancel', note: '' }));
      cancel('starting');
      money.answer();
      for (const [side, of, points] of scores) money.score(`${side}${of}`, points);
      cancel('running');
      if (money.contest.phase === 'RUNNING') money.run({ kind: 'endRound', round: 1 });
      cancel('reconciling');
      const { sideRoundPoints, roundScoreCount } = money.contest;
      money.run({ kind: 'reconcile', round: 1, log: { sidePoints: [...sideRoundPoints], scoreCount: roundScoreCount, sequence: 1 }, ...NOT_READ });
      money.payNext();
      const balances = new Map<string, bigint>();
      for (const reason of reasons) {
        const [order] = money.asked;
        if (order === undefined) break;
        if (order.kind === 'payFunds' && reason === '') {
          expect(balances.has(order.accountId)).toBe(false);
          balances.set(order.accountId, order.amountMinor);
        }
        money.answer(order.kind === 'payFunds' ? reason : '');
      }
      const paid = [...balances.values()].reduce((sum, one) => sum + one, 0n);
      const settled = money.events.filter((event) => event.kind === 'fundSettled');
      const heldMinor = money.contest.fund?.amountMinor ?? 0n;
      expect(settled).toEqual([{ kind: 'fundSettled', heldMinor, paidMinor: paid, returnedMinor: heldMinor - paid }]);
      expect(['ENDED', 'CANCELLED']).toContain(money.contest.phase);
      // The events of the story, gathered, make the same contest.
      const replayed = newContest('c');
      for (const event of gatherEvents(money.events)) evolveContest(replayed, event);
      expect(replayed).toEqual(money.contest);
    }),
  );
});
