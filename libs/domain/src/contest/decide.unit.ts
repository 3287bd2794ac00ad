/** What contests decide, case by case. The order of the rows is the order of the checks. */
import { evolveContest, newContest, type Contest, type ContestEvent } from './contest';
import type { DueScoreTask } from './contest-decision';
import { MAXIMUM_SUDDEN_DEATH_ROUNDS, type ContestRules } from './contest-rules';
import { decideContest, type ContestCommand } from './decide';
import { MAXIMUM_UNFINISHED_TASKS } from './score-task';

const SECOND_US = 1_000_000;
const BEGIN_US = 1_000 * SECOND_US;

const NOT_READ = { read: undefined, notCompared: 'there is no read store' };

const RULES: ContestRules = {
  rounds: 1,
  roundDurationMs: 60_000,
  joinUntilUs: 0,
  minimumMembersPerSide: 1,
  maximumMembersPerSide: 3,
  maximumPointsPerScore: 50,
  maximumPointsPerMemberAndRound: 0,
  operator: 'INCREMENT',
  winnerRule: 'CUMULATIVE',
  tieRule: 'NONE',
  reconcileWaitMs: 250,
};

/** A contest, and the commands that came to it, one second after the other. */
class Story {
  readonly contest: Contest = newContest('c');
  atUs = BEGIN_US;
  events: readonly ContestEvent[] = [];
  timer = 'none';
  /** As the last decision set it. */
  dueTask: DueScoreTask | undefined;

  constructor(rules: Partial<ContestRules> = {}) {
    this.run({
      kind: 'create',
      rules: { ...RULES, ...rules },
      sides: [
        { sideId: 'red', accountIds: ['r1', 'r2'] },
        { sideId: 'blue', accountIds: ['b1', 'b2'] },
        { sideId: 'green', accountIds: ['g1'] },
      ],
      title: '',
    });
  }

  /** Returns "yes", or why not; a rejection that is not recorded has a question mark. */
  run(command: ContestCommand, afterUs = SECOND_US): string {
    this.atUs += afterUs;
    const decision = decideContest(this.contest, command, this.atUs);
    if (!decision.accepted) return `${decision.rejection}${decision.recorded ? '' : '?'}`;
    this.events = decision.events;
    this.dueTask = decision.dueTask;
    for (const event of decision.events) evolveContest(this.contest, event);
    const { timer } = decision;
    if (timer !== undefined) this.timer = timer.kind === 'cancel' ? 'none' : `${timer.command} ${timer.round} in ${(timer.dueAtUs - this.atUs) / SECOND_US} s`;
    return 'yes';
  }

  start(): this {
    expect(this.run({ kind: 'start' })).toBe('yes');
    return this;
  }

  score(accountId: string, points: number, scoredAtUs = 0): string {
    return this.run({ kind: 'score', requestId: `${accountId} ${points}`, accountId, points, scoredAtUs }, 0);
  }

  end(): this {
    expect(this.run({ kind: 'endRound', round: this.contest.round })).toBe('yes');
    return this;
  }

  /** Compares the round with the log, where it is the same. */
  reconcile(): this {
    const { round, sideRoundPoints, roundScoreCount } = this.contest;
    const log = { sidePoints: [...sideRoundPoints], scoreCount: roundScoreCount, sequence: 9 };
    expect(this.run({ kind: 'reconcile', round, log, ...NOT_READ })).toBe('yes');
    return this;
  }

  /** A whole round in which the first members of the sides score. */
  round(red: number, blue: number, green = 0): this {
    for (const [accountId, points] of [
      ['r1', red],
      ['b1', blue],
      ['g1', green],
    ] as const)
      if (points > 0) expect(this.score(accountId, points)).toBe('yes');
    return this.end().reconcile();
  }

  cancel(): this {
    expect(this.run({ kind: 'cancel', note: '' })).toBe('yes');
    return this;
  }
}

const created = (rules?: Partial<ContestRules>) => new Story(rules);
const running = (rules?: Partial<ContestRules>) => created(rules).start();
const score = (accountId: string, points: number, scoredAtUs = 0): ContestCommand => ({ kind: 'score', requestId: 'r', accountId, points, scoredAtUs });

describe('a score', () => {
  test.each`
    story                                                                               | command              | outcome
    ${() => created()}                                                                  | ${score('r1', 1)}    | ${'CONTEST_NOT_STARTED'}
    ${() => running().round(1, 0)}                                                      | ${score('x', 1)}     | ${'CONTEST_FINISHED'}
    ${() => running().cancel()}                                                         | ${score('x', 1)}     | ${'CONTEST_FINISHED'}
    ${() => running().end()}                                                            | ${score('x', 1)}     | ${'CONTEST_ROUND_CLOSED'}
    ${() => running()}                                                                  | ${score('x', 1)}     | ${'CONTEST_MEMBER_NOT_FOUND?'}
    ${() => running({ tieRule: 'SUDDEN_DEATH', operator: 'LATEST' }).end().reconcile()} | ${score('r1', 51)}   | ${'CONTEST_SCORED_AT_MISSING?'}
    ${() => running({ tieRule: 'SUDDEN_DEATH' }).round(2, 2, 1)}                        | ${score('g1', 51)}   | ${'CONTEST_SIDE_OUT'}
    ${() => running({ operator: 'LATEST' })}                                            | ${score('r1', 51)}   | ${'CONTEST_SCORED_AT_MISSING?'}
    ${() => running({ maximumPointsPerMemberAndRound: 10 })}                            | ${score('r1', 51)}   | ${'CONTEST_POINTS_LIMIT_EXCEEDED'}
    ${() => running({ maximumPointsPerMemberAndRound: 10 })}                            | ${score('r1', 11)}   | ${'CONTEST_ROUND_LIMIT_EXCEEDED'}
    ${() => running({ maximumPointsPerMemberAndRound: 10, operator: 'BEST' })}          | ${score('r1', 11)}   | ${'CONTEST_ROUND_LIMIT_EXCEEDED'}
    ${() => running({ maximumPointsPerMemberAndRound: 10 })}                            | ${score('r1', 10)}   | ${'yes'}
    ${() => running()}                                                                  | ${score('r1', 50)}   | ${'yes'}
    ${() => running({ operator: 'LATEST' })}                                            | ${score('r1', 1, 1)} | ${'yes'}
  `('$command: $outcome', ({ story, command, outcome }: { story: () => Story; command: ContestCommand; outcome: string }) => {
    expect(story().run(command)).toBe(outcome);
  });

  test('at the end of the round is too late, whether the timer has fired or not', () => {
    const story = running();
    expect(story.run(score('r1', 1), 60 * SECOND_US - 1)).toBe('yes');
    expect(story.run(score('r1', 1), 1)).toBe('CONTEST_ROUND_CLOSED');
  });

  test('counts in the limit of its member and round with those before it', () => {
    const story = running({ maximumPointsPerMemberAndRound: 10, rounds: 2 });
    expect([story.score('r1', 6), story.score('r1', 5), story.score('r1', 4), story.score('r2', 10)]).toEqual([
      'yes',
      'CONTEST_ROUND_LIMIT_EXCEEDED',
      'yes',
      'yes',
    ]);
    story.end().reconcile();
    expect(story.score('r1', 10)).toBe('yes');
  });

  test('says what the member and its side have after it', () => {
    const story = running({ rounds: 2 }).round(7, 1);
    story.score('r2', 5);
    story.score('r1', 3);
    expect(story.events).toEqual([
      {
        kind: 'scored',
        round: 2,
        scores: [{ requestId: 'r1 3', accountId: 'r1', member: 0, side: 0, points: 3, scoredAtUs: 0, roundPoints: 3, totalPoints: 10, sideRoundPoints: 8 }],
      },
    ]);
  });

  test('that would bring its side beyond whole numbers is refused', () => {
    const story = running({ maximumPointsPerScore: Number.MAX_SAFE_INTEGER });
    expect(story.score('r1', Number.MAX_SAFE_INTEGER)).toBe('yes');
    expect([story.score('r2', 1), story.score('b1', 1)]).toEqual(['CONTEST_POINTS_OVERFLOW', 'yes']);
  });
});

describe('a submitted score', () => {
  const submit = (accountId: string, points: number, scoredAtUs = 0, requestId = 'r'): ContestCommand => ({
    kind: 'submitScore',
    requestId,
    accountId,
    points,
    scoredAtUs,
  });
  /** Executes the task that is due. */
  const execute = (story: Story): string => {
    if (story.dueTask === undefined) throw new Error('no task is due');
    return story.run({ kind: 'executeScore', ...story.dueTask.task }, story.dueTask.dueAtUs - story.atUs);
  };
  const submitted = (story: Story, ...score: Parameters<typeof submit>): Story => {
    expect(story.run(submit(...score))).toBe('yes');
    return story;
  };
  const full = () => {
    const story = running();
    story.contest.unfinishedTasks = MAXIMUM_UNFINISHED_TASKS;
    return story;
  };

  test.each`
    story                                             | command               | outcome
    ${() => created()}                                | ${submit('r1', 1)}    | ${'CONTEST_NOT_STARTED'}
    ${() => running().round(1, 0)}                    | ${submit('r1', 1)}    | ${'CONTEST_FINISHED'}
    ${() => running({ operator: 'LATEST' }).cancel()} | ${submit('r1', 1)}    | ${'CONTEST_FINISHED'}
    ${() => running({ operator: 'LATEST' })}          | ${submit('r1', 1)}    | ${'CONTEST_SCORED_AT_MISSING?'}
    ${full}                                           | ${submit('r1', 1)}    | ${'CONTEST_TASKS_FULL?'}
    ${() => running({ operator: 'LATEST' })}          | ${submit('r1', 1, 1)} | ${'yes'}
    ${() => running().end()}                          | ${submit('r1', 1)}    | ${'yes'}
    ${() => running()}                                | ${submit('x', 1_000)} | ${'yes'}
  `('$command: $outcome', ({ story, command, outcome }: { story: () => Story; command: ContestCommand; outcome: string }) => {
    expect(story().run(command)).toBe(outcome);
  });

  test('is recorded as it was submitted, and changes no points before its task is executed', () => {
    const story = submitted(running(), 'r1', 3);
    const score = { requestId: 'r', accountId: 'r1', points: 3, scoredAtUs: 0 };
    expect(story.events).toEqual([{ kind: 'scoreSubmitted', score }]);
    expect(story.dueTask).toEqual({ task: { ...score, submittedAtUs: story.atUs, attempts: 0, reason: '' }, dueAtUs: story.atUs });
    expect(story.contest).toMatchObject({ sideRoundPoints: [0, 0, 0], unfinishedTasks: 1 });
    expect(execute(story)).toBe('yes');
    expect(story.events).toMatchObject([{ kind: 'scored', round: 1, scores: [{ ...score, submitted: true, roundPoints: 3 }] }]);
    expect(story.dueTask).toBeUndefined();
    expect(story.contest).toMatchObject({ sideRoundPoints: [3, 0, 0], unfinishedTasks: 0 });
  });

  test('waits between two rounds, and counts in the next one', () => {
    const story = submitted(running({ rounds: 2 }), 'r1', 3);
    const submittedAtUs = story.atUs;
    const { dueTask } = story;
    story.end();
    Object.assign(story, { dueTask });
    expect([execute(story), story.events]).toEqual(['yes', []]);
    expect(story.dueTask).toMatchObject({ dueAtUs: story.atUs + SECOND_US, task: { submittedAtUs, attempts: 1, reason: 'CONTEST_ROUND_CLOSED' } });
    expect([execute(story), story.dueTask?.task.attempts, story.contest.unfinishedTasks]).toEqual(['yes', 2, 1]);
    const again = story.dueTask;
    story.reconcile();
    Object.assign(story, { dueTask: again });
    expect(execute(story)).toBe('yes');
    expect(story.contest).toMatchObject({ round: 2, sideRoundPoints: [3, 0, 0], unfinishedTasks: 0 });
  });

  test('waits longer each time, up to five minutes, so that a reconciliation which does not end fills no log', () => {
    const story = submitted(running({ rounds: 2 }), 'r1', 3);
    const { dueTask } = story;
    story.end();
    Object.assign(story, { dueTask });
    const pausesS = Array.from({ length: 12 }, () => {
      expect(execute(story)).toBe('yes');
      return ((story.dueTask?.dueAtUs ?? 0) - story.atUs) / SECOND_US;
    });
    expect(pausesS).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  test.each`
    score         | after                             | reason
    ${['x', 1]}   | ${() => undefined}                | ${'CONTEST_MEMBER_NOT_FOUND'}
    ${['r1', 51]} | ${() => undefined}                | ${'CONTEST_POINTS_LIMIT_EXCEEDED'}
    ${['r1', 50]} | ${(s: Story) => s.score('r1', 1)} | ${'CONTEST_ROUND_LIMIT_EXCEEDED'}
    ${['r1', 1]}  | ${(s: Story) => s.cancel()}       | ${'CONTEST_FINISHED'}
    ${['r1', 1]}  | ${(s: Story) => s.round(1, 0)}    | ${'CONTEST_FINISHED'}
  `('of $score is refused for good with $reason', ({ score: [accountId, points], after, reason }) => {
    const story = submitted(running({ maximumPointsPerMemberAndRound: 50 }), accountId as string, points as number);
    const { dueTask } = story;
    (after as (story: Story) => unknown)(story);
    Object.assign(story, { dueTask });
    expect(execute(story)).toBe('yes');
    expect(story.events).toEqual([{ kind: 'scoreRefused', requestId: 'r', accountId, reason: reason as string }]);
    expect([story.dueTask, story.contest.unfinishedTasks]).toEqual([undefined, 0]);
  });

  test('cannot end more often than it was taken', () => {
    expect(() => evolveContest(running().contest, { kind: 'scoreRefused', requestId: 'r', accountId: 'r1', reason: '' })).toThrow('more change tasks');
  });
});

describe('joining', () => {
  const join = (sideId: string, ...accountIds: string[]): ContestCommand => ({ kind: 'join', sideId, accountIds });
  const open = { joinUntilUs: BEGIN_US + 30 * SECOND_US };
  test.each`
    story                           | command                    | outcome
    ${() => created(open).cancel()} | ${join('none', 'new')}     | ${'CONTEST_FINISHED'}
    ${() => created()}              | ${join('none', 'new')}     | ${'CONTEST_JOIN_CLOSED'}
    ${() => created(open)}          | ${join('none', 'new')}     | ${'CONTEST_SIDE_NOT_FOUND?'}
    ${() => created(open)}          | ${join('red', 'b1', 'x')}  | ${'CONTEST_MEMBER_EXISTS'}
    ${() => created(open)}          | ${join('red', 'x', 'y')}   | ${'CONTEST_SIDE_FULL'}
    ${() => created(open)}          | ${join('red', 'x')}        | ${'yes'}
    ${() => running(open)}          | ${join('green', 'x', 'y')} | ${'yes'}
    ${() => running(open).end()}    | ${join('green', 'x')}      | ${'yes'}
  `('$command: $outcome', ({ story, command, outcome }: { story: () => Story; command: ContestCommand; outcome: string }) => {
    expect(story().run(command)).toBe(outcome);
  });

  test('is possible until the moment that the rules say', () => {
    const story = created({ joinUntilUs: BEGIN_US + 3 * SECOND_US });
    expect([story.run(join('red', 'x')), story.run(join('green', 'y'))]).toEqual(['yes', 'CONTEST_JOIN_CLOSED']);
  });

  test('lets the member score', () => {
    const story = running(open);
    story.run(join('green', 'x'));
    expect(story.score('x', 4)).toBe('yes');
    expect(story.contest.sideRoundPoints).toEqual([0, 0, 4]);
  });
});

describe('a contest', () => {
  const create: ContestCommand = { kind: 'create', rules: RULES, sides: [], title: '' };
  test.each`
    story                                          | command                           | outcome
    ${() => created()}                             | ${create}                         | ${'CONTEST_EXISTS'}
    ${() => created().cancel()}                    | ${{ kind: 'start' }}              | ${'CONTEST_FINISHED'}
    ${() => running()}                             | ${{ kind: 'start' }}              | ${'CONTEST_STARTED'}
    ${() => created({ minimumMembersPerSide: 2 })} | ${{ kind: 'start' }}              | ${'CONTEST_TOO_FEW_MEMBERS'}
    ${() => created()}                             | ${{ kind: 'endRound', round: 1 }} | ${'CONTEST_NOT_STARTED'}
    ${() => running()}                             | ${{ kind: 'endRound', round: 2 }} | ${'CONTEST_ROUND_CLOSED'}
    ${() => running().end()}                       | ${{ kind: 'endRound', round: 1 }} | ${'CONTEST_ROUND_CLOSED'}
    ${() => running().round(1, 0)}                 | ${{ kind: 'endRound', round: 1 }} | ${'CONTEST_FINISHED'}
    ${() => running().round(1, 0)}                 | ${{ kind: 'cancel', note: '' }}   | ${'CONTEST_FINISHED'}
    ${() => running().end()}                       | ${{ kind: 'cancel', note: '' }}   | ${'yes'}
  `('$command: $outcome', ({ story, command, outcome }: { story: () => Story; command: ContestCommand; outcome: string }) => {
    expect(story().run(command)).toBe(outcome);
  });

  test.each<ContestCommand>([{ kind: 'start' }, score('r1', 1), { kind: 'endRound', round: 1 }, { kind: 'cancel', note: '' }])(
    'that was never created: $kind',
    (command) => {
      expect(decideContest(newContest('c'), command, BEGIN_US)).toEqual({ accepted: false, rejection: 'CONTEST_NOT_FOUND', recorded: false });
    },
  );

  test('sets one timer at a time: for the end of a round, then for its reconciliation', () => {
    const story = created({ rounds: 2 });
    const timers = [story.timer];
    for (const then of [() => story.start(), () => story.end(), () => story.reconcile(), () => story.end(), () => story.reconcile()]) timers.push(then().timer);
    expect(timers).toEqual([
      'none',
      'endRoundInTime 1 in 60 s',
      'beginReconciliation 1 in 0 s',
      'endRoundInTime 2 in 60 s',
      'beginReconciliation 2 in 0 s',
      'none',
    ]);
    expect(running({ roundDurationMs: 0 }).timer).toBe('none');
    expect(running().cancel().timer).toBe('none');
  });

  test('does what its timers ask for when it is time, and only then', () => {
    const story = running({ rounds: 2 });
    const inTime: ContestCommand = { kind: 'endRoundInTime', round: 1 };
    story.run(inTime, 59 * SECOND_US);
    expect(story.contest.phase).toBe('RUNNING');
    story.run(inTime, SECOND_US);
    expect(story.contest.phase).toBe('RECONCILING');
    story.run({ kind: 'beginReconciliation', round: 1 });
    expect(story.timer).toBe('beginReconciliation 1 in 5 s');
    story.reconcile();
    story.run(inTime);
    story.run({ kind: 'beginReconciliation', round: 1 });
    expect([story.contest.phase, story.contest.round, story.timer]).toEqual(['RUNNING', 2, 'endRoundInTime 2 in 60 s']);
  });
});

describe('reconciliation', () => {
  const reconcile = (round: number, sidePoints: number[], scoreCount: number): ContestCommand => ({
    kind: 'reconcile',
    round,
    log: { sidePoints, scoreCount, sequence: 5 },
    ...NOT_READ,
  });
  const ended = () => {
    const story = running();
    story.score('r1', 3);
    return story.end();
  };

  test.each`
    command                       | outcome
    ${reconcile(2, [3, 0, 0], 1)} | ${'CONTEST_ROUND_CLOSED?'}
    ${reconcile(1, [4, 0, 0], 1)} | ${'CONTEST_SUMS_DIFFER?'}
    ${reconcile(1, [3, 0, 1], 1)} | ${'CONTEST_SUMS_DIFFER?'}
    ${reconcile(1, [3, 0, 0], 2)} | ${'CONTEST_SUMS_DIFFER?'}
    ${reconcile(1, [], 1)}        | ${'CONTEST_SUMS_DIFFER?'}
    ${reconcile(1, [3, 0, 0], 1)} | ${'yes'}
  `('$command: $outcome', ({ command, outcome }: { command: ContestCommand; outcome: string }) => {
    expect(ended().run(command)).toBe(outcome);
  });

  test('happens once for a round', () => {
    const story = ended();
    expect([story.run(reconcile(1, [3, 0, 0], 1)), story.run(reconcile(1, [3, 0, 0], 1))]).toEqual(['yes', 'CONTEST_ROUND_CLOSED?']);
  });
});

describe('who wins', () => {
  const names = ['red', 'blue', 'green'];
  const winnersOf = ({ contest }: Story): string =>
    contest.phase === 'ENDED' ? contest.winners.map((side) => names[side]).join(' and ') || 'nobody' : contest.phase;
  test.each`
    rules                                                          | rounds                         | winners
    ${{}}                                                          | ${[[1, 0]]}                    | ${'red'}
    ${{}}                                                          | ${[[1, 1]]}                    | ${'nobody'}
    ${{}}                                                          | ${[[0, 0]]}                    | ${'nobody'}
    ${{ tieRule: 'SPLIT' }}                                        | ${[[1, 1]]}                    | ${'red and blue'}
    ${{ tieRule: 'SHARED' }}                                       | ${[[0, 2, 2]]}                 | ${'blue and green'}
    ${{ rounds: 3 }}                                               | ${[[9, 0], [0, 1], [0, 1]]}    | ${'red'}
    ${{ rounds: 3, winnerRule: 'ROUND' }}                          | ${[[9, 0], [0, 1], [0, 1]]}    | ${'blue'}
    ${{ rounds: 3, winnerRule: 'ROUND' }}                          | ${[[9, 9], [0, 1], [1, 0]]}    | ${'nobody'}
    ${{ rounds: 3, winnerRule: 'ROUND', tieRule: 'SPLIT' }}        | ${[[9, 9], [0, 1], [1, 0]]}    | ${'red and blue'}
    ${{ tieRule: 'SUDDEN_DEATH' }}                                 | ${[[2, 2, 1]]}                 | ${'RUNNING'}
    ${{ tieRule: 'SUDDEN_DEATH' }}                                 | ${[[2, 2, 1], [0, 1]]}         | ${'blue'}
    ${{ tieRule: 'SUDDEN_DEATH' }}                                 | ${[[2, 2, 1], [1, 1], [3, 2]]} | ${'red'}
    ${{ tieRule: 'SUDDEN_DEATH' }}                                 | ${[[2, 2, 2], [1, 1], [0, 2]]} | ${'blue'}
    ${{ rounds: 2, tieRule: 'SUDDEN_DEATH', winnerRule: 'ROUND' }} | ${[[1, 0], [0, 5], [1, 0]]}    | ${'red'}
  `('$rules, $rounds: $winners', ({ rules, rounds, winners }: { rules: Partial<ContestRules>; rounds: [number, number, number?][]; winners: string }) => {
    const story = running(rules);
    for (const points of rounds) story.round(...points);
    expect(winnersOf(story)).toBe(winners);
  });

  test('sudden death adds nothing to totals, and ends after so many rounds without a winner', () => {
    const story = running({ tieRule: 'SUDDEN_DEATH' }).round(2, 2);
    for (let round = 1; round <= MAXIMUM_SUDDEN_DEATH_ROUNDS; round += 1) story.round(4, 4);
    expect(winnersOf(story)).toBe('nobody');
    expect(story.events.at(-1)).toEqual({ kind: 'winnersNamed', round: 1 + MAXIMUM_SUDDEN_DEATH_ROUNDS, winners: [], totals: [2, 2, 0] });
  });

  test('the sums of log and read store are recorded with their positions, whether they are equal or not', () => {
    const read = { sidePoints: [4, 0, 0], sideTotals: [4, 9, 0], sequence: 4 };
    const log = { sidePoints: [3, 0, 0], scoreCount: 1, sequence: 5 };
    const story = running();
    story.score('r1', 3);
    story.end().run({ kind: 'reconcile', round: 1, log, read, notCompared: '' });
    expect(story.events).toContainEqual({ kind: 'roundReconciled', round: 1, log, logTotals: [3, 0, 0], read, notCompared: '' });
  });

  test('the totals of all regular rounds are told', () => {
    const story = running({ rounds: 2 }).round(1, 2, 3).round(10, 20, 30);
    expect(story.events.at(-1)).toEqual({ kind: 'winnersNamed', round: 2, winners: [2], totals: [11, 22, 33] });
  });
});

test.each<ContestEvent>([
  { kind: 'scored', round: 1, scores: [] },
  { kind: 'roundEnded', round: 1, sidePoints: [], scoreCount: 0 },
  { kind: 'roundReconciled', round: 1, log: { sidePoints: [], scoreCount: 0, sequence: 1 }, logTotals: [], ...NOT_READ },
  { kind: 'winnersNamed', round: 1, winners: [], totals: [] },
])('an event that cannot follow is a fault: $kind', (event) => {
  expect(() => evolveContest(created().contest, event)).toThrow('CREATED');
});
