/**
 * What the log says about contests, read by code that shares nothing with the engine but the generated messages: every contest is followed event by
 * event, and each event is compared with the rules of docs/contests.md.
 */
import { contestpb } from '@sluice/protocol/contest';
import type { DecodedLog } from '../world/decoded-log';
import { MoneyOfContest, withMost } from './contest-money-model';

const { ScoreOperator, TieRule, WinnerRule } = contestpb;
const MAXIMUM_SUDDEN_DEATH_ROUNDS = 20;

export type ReadScore = Pick<
  contestpb.RecordedScore,
  'accountId' | 'points' | 'roundPoints' | 'totalPoints' | 'sideRoundPoints' | 'amountMinor' | 'submitted' | 'giverAccountId'
> & { readonly round: number };

interface Member {
  readonly side: number;
  total: bigint;
  roundPoints: bigint;
  scoredAtUs: bigint;
}

type Phase = 'CREATED' | 'STARTING' | 'RUNNING' | 'RECONCILING' | 'RECONCILED' | 'REWARDING' | 'ENDED' | 'CANCELLED';

export function scoreKey(requestId: string, giverAccountId = ''): string {
  return `${giverAccountId} ${requestId}`;
}

export class ReadContest {
  readonly contestId: string;
  phase: Phase = 'CREATED';
  round = 0;
  endsAtUs = 0n;
  readonly scores = new Map<string, ReadScore>();
  /** Submitted scores by request id: undefined until the task has ended; then the reason of its refusal, empty if it was recorded. */
  readonly tasks = new Map<string, string | undefined>();
  readonly contradictions: string[] = [];
  readonly money: MoneyOfContest;
  private readonly rules: contestpb.ContestRules;
  private readonly members = new Map<string, Member>();
  private readonly totals: bigint[];
  private readonly roundsWon: bigint[];
  private suddenDeath: readonly number[] = [];
  private roundScores = 0n;

  constructor({ contestId, rules, sides }: contestpb.ContestCreated) {
    this.contestId = contestId;
    if (rules === undefined) throw new Error(`contest ${contestId} has no rules`);
    this.rules = rules;
    this.money = new MoneyOfContest(rules, (what) => this.contradict(what));
    this.totals = sides.map(() => 0n);
    this.roundsWon = sides.map(() => 0n);
    for (const [side, { accountIds }] of sides.entries()) this.add(side, accountIds);
  }

  get isOver(): boolean {
    const { phase, money, tasks } = this;
    return (phase === 'ENDED' || phase === 'CANCELLED') && !money.isOpen && [...tasks.values()].every((reason) => reason !== undefined);
  }

  private contradict(what: string): void {
    this.contradictions.push(`contest ${this.contestId} ${what}`);
  }

  private expectPhase(what: string, ...phases: readonly Phase[]): void {
    if (!phases.includes(this.phase)) this.contradict(`${what} while it is ${this.phase}`);
  }

  private expectSame(what: string, found: readonly unknown[], expected: readonly unknown[]): void {
    if (String(found) !== String(expected)) this.contradict(`${what} [${String(found)}]; its scores make [${String(expected)}]`);
  }

  private add(side: number, accountIds: readonly string[]): void {
    for (const accountId of accountIds) {
      if (this.members.has(accountId)) this.contradict(`has the member ${accountId} twice`);
      this.members.set(accountId, { side, total: 0n, roundPoints: 0n, scoredAtUs: 0n });
    }
  }

  joined({ side, firstMember, accountIds }: contestpb.MembersJoined): void {
    this.expectPhase('is joined', 'CREATED', 'STARTING', 'RUNNING', 'RECONCILING');
    if (firstMember !== this.members.size) this.contradict(`numbers a member ${firstMember} when ${this.members.size} is next`);
    this.add(side, accountIds);
  }

  fundAsked(asked: contestpb.FundAsked): void {
    this.expectPhase('asks its fund', 'CREATED');
    this.phase = 'STARTING';
    this.money.asked(asked);
  }

  fundRefused(): void {
    this.money.refused();
    if (this.phase === 'CANCELLED') return;
    this.expectPhase('is refused by its fund', 'STARTING');
    this.phase = 'CREATED';
  }

  started({ round, endsAtUs, suddenDeathSides }: contestpb.RoundStarted): void {
    this.expectPhase(`starts round ${round}`, this.money.isHeld ? 'STARTING' : 'CREATED', 'RECONCILED');
    if (this.rules.reward !== undefined && !this.money.isHeld) this.contradict(`starts round ${round} without the money of its fund`);
    if (round !== this.round + 1) this.contradict(`starts round ${round} after round ${this.round}`);
    if (this.phase === 'RECONCILED') this.expectSame('plays on between', suddenDeathSides, this.next === 'regular round' ? [] : this.tied());
    Object.assign(this, { phase: 'RUNNING', round, endsAtUs, suddenDeath: suddenDeathSides, roundScores: 0n });
    for (const member of this.members.values()) Object.assign(member, { roundPoints: 0n, scoredAtUs: 0n });
  }

  scored({ round, scores }: contestpb.ScoresRecorded, atUs: bigint): void {
    this.expectPhase('takes a score', 'RUNNING');
    if (round !== this.round) this.contradict(`takes a score in round ${round} when ${this.round} runs`);
    if (this.endsAtUs !== 0n && atUs >= this.endsAtUs) this.contradict(`takes a score at ${atUs}; round ${round} ends at ${this.endsAtUs}`);
    for (const score of scores) this.scoredOne(score);
  }

  private scoredOne(score: contestpb.RecordedScore): void {
    const { requestId, accountId, points, side, scoredAtUs, giverAccountId, submitted } = score;
    const key = scoreKey(requestId, giverAccountId);
    if (this.scores.has(key)) this.contradict(`has score ${key} twice`);
    this.scores.set(key, { ...score, round: this.round });
    if (submitted) this.taskEnded(requestId, '');
    this.roundScores += 1n;
    const member = this.members.get(accountId);
    if (member === undefined) return this.contradict(`takes a score of ${accountId}, which is no member`);
    if (this.suddenDeath.length > 0 && !this.suddenDeath.includes(member.side)) this.contradict('takes a score of a side that is out');
    const { operator, maximumPointsPerMemberAndRound: limit } = this.rules;
    if (operator === ScoreOperator.SCORE_OPERATOR_INCREMENT) member.roundPoints += points;
    else if (operator === ScoreOperator.SCORE_OPERATOR_BEST) member.roundPoints = points > member.roundPoints ? points : member.roundPoints;
    else if (scoredAtUs > member.scoredAtUs || (scoredAtUs === member.scoredAtUs && points > member.roundPoints))
      Object.assign(member, { roundPoints: points, scoredAtUs });
    if (limit !== 0n && member.roundPoints > limit) this.contradict(`lets ${accountId} have ${member.roundPoints} points in a round`);
    const total = member.total + (this.suddenDeath.length > 0 ? 0n : member.roundPoints);
    this.expectSame(
      `says after score ${key}`,
      [side, score.roundPoints, score.totalPoints, score.sideRoundPoints],
      [member.side, member.roundPoints, total, this.roundPoints()[member.side]],
    );
  }

  submitted({ requestId }: contestpb.ScoreSubmitted): void {
    this.expectPhase('takes a task', 'RUNNING', 'RECONCILING');
    if (this.tasks.has(requestId)) this.contradict(`takes score ${requestId} twice as a task`);
    this.tasks.set(requestId, undefined);
  }

  taskEnded(requestId: string, reason: string): void {
    if (!this.tasks.has(requestId)) this.contradict(`ends the task of score ${requestId}, which was never submitted`);
    else if (this.tasks.get(requestId) !== undefined) this.contradict(`ends the task of score ${requestId} twice`);
    this.tasks.set(requestId, reason);
  }

  ended({ round, sidePoints, scoreCount }: contestpb.RoundEnded): void {
    this.expectPhase(`ends round ${round}`, 'RUNNING');
    this.expectSame(`ends round ${round} with`, [round, scoreCount, ...sidePoints], [this.round, this.roundScores, ...this.roundPoints()]);
    this.phase = 'RECONCILING';
  }

  reconciled({ round, logSidePoints, logScoreCount }: contestpb.RoundReconciledV2): void {
    this.expectPhase(`reconciles round ${round}`, 'RECONCILING');
    this.expectSame(`reconciles round ${round} with`, [round, logScoreCount, ...logSidePoints], [this.round, this.roundScores, ...this.roundPoints()]);
    this.phase = 'RECONCILED';
    if (this.suddenDeath.length > 0) return;
    const points = this.roundPoints();
    for (const member of this.members.values()) member.total += member.roundPoints;
    for (const [side, gained] of points.entries()) this.totals[side] = (this.totals[side] as bigint) + gained;
    const best = withMost(points, [...points.keys()]);
    if (best.length === 1) this.roundsWon[best[0] as number] = (this.roundsWon[best[0] as number] as bigint) + 1n;
  }

  named({ sides, sideTotals }: contestpb.WinnersNamed): void {
    this.expectPhase('names winners', 'RECONCILED');
    if (this.next !== 'winners') this.contradict(`names winners when a ${this.next} is next`);
    const tied = this.tied();
    const all = this.rules.tieRule === TieRule.TIE_RULE_SPLIT || this.rules.tieRule === TieRule.TIE_RULE_SHARED;
    this.expectSame('names', sides, tied.length === 1 || all ? tied : []);
    this.expectSame('tells the totals', sideTotals, this.totals);
    this.phase = this.money.isHeld ? 'REWARDING' : 'ENDED';
    const memberCounts = this.totals.map((_total, side) => [...this.members.values()].filter((member) => member.side === side).length);
    this.money.won(sides, memberCounts);
  }

  rewardsOwed({ rewards }: contestpb.RewardsOwed): void {
    this.expectPhase('owes rewards', 'REWARDING');
    for (const reward of rewards) {
      if (this.members.get(reward.accountId)?.side !== reward.side) this.contradict(`owes ${reward.accountId} a reward of side ${reward.side}`);
      this.money.owed(reward);
    }
  }

  rewardsSettled({ rewards }: contestpb.RewardsSettled): void {
    this.expectPhase('settles rewards', 'REWARDING');
    for (const reward of rewards) this.money.rewardSettled(reward);
  }

  fundSettled(settled: contestpb.FundSettled): void {
    this.expectPhase('settles with its fund', 'REWARDING', 'CANCELLED');
    this.money.settled(settled);
    if (this.phase === 'REWARDING') this.phase = 'ENDED';
  }

  cancelled(): void {
    this.expectPhase('is cancelled', 'CREATED', 'STARTING', 'RUNNING', 'RECONCILING');
    this.phase = 'CANCELLED';
  }

  private roundPoints(): bigint[] {
    const points = this.totals.map(() => 0n);
    for (const { side, roundPoints } of this.members.values()) points[side] = (points[side] as bigint) + roundPoints;
    return points;
  }

  /** The sides that are first after the last round. */
  private tied(): number[] {
    if (this.suddenDeath.length > 0) return withMost(this.roundPoints(), this.suddenDeath);
    const sides = [...this.totals.keys()];
    return withMost(this.rules.winnerRule === WinnerRule.WINNER_RULE_ROUND ? this.roundsWon : this.totals, sides);
  }

  private get next(): 'regular round' | 'sudden death' | 'winners' {
    const { rounds, tieRule } = this.rules;
    if (this.round < rounds) return 'regular round';
    const goesOn = tieRule === TieRule.TIE_RULE_SUDDEN_DEATH && this.tied().length > 1 && this.round < rounds + MAXIMUM_SUDDEN_DEATH_ROUNDS;
    return goesOn ? 'sudden death' : 'winners';
  }
}

export interface ContestReading {
  readonly contests: ReadonlyMap<string, ReadContest>;
  readonly contradictions: readonly string[];
}

/** @returns a function that reads what the log says by now. */
export function contestReader(log: DecodedLog): () => ContestReading {
  const contests = new Map<string, ReadContest>();
  const own: string[] = [];
  const readOn = log.follow(({ committedAtUs, events }) => {
    for (const { type, payload } of events) if (type.startsWith('contest.')) take(contests, own, type, payload, BigInt(committedAtUs));
  });
  return () => {
    readOn();
    return { contests, contradictions: [...own, ...[...contests.values()].flatMap(({ contradictions }) => contradictions)] };
  };
}

function take(contests: Map<string, ReadContest>, contradictions: string[], type: string, payload: Uint8Array, atUs: bigint): void {
  if (type === 'contest.ContestCreated') {
    const created = contestpb.ContestCreated.decode(payload);
    if (contests.has(created.contestId)) contradictions.push(`contest ${created.contestId} is created twice`);
    contests.set(created.contestId, new ReadContest(created));
    return;
  }
  // Field 1 of every event.
  const { contestId } = contestpb.ContestCancelled.decode(payload);
  const contest = contests.get(contestId);
  const follow = FOLLOWING[type];
  if (contest === undefined) contradictions.push(`contest ${contestId} has ${type} and was never created`);
  else if (follow === undefined) contradictions.push(`contest ${contestId} has an event ${type}, which the model does not know`);
  else follow(contest, payload, atUs);
}

const FOLLOWING: Readonly<Record<string, (contest: ReadContest, payload: Uint8Array, atUs: bigint) => void>> = {
  'contest.MembersJoined': (contest, payload) => contest.joined(contestpb.MembersJoined.decode(payload)),
  'contest.FundAsked': (contest, payload) => contest.fundAsked(contestpb.FundAsked.decode(payload)),
  'contest.FundHeld': (contest, payload) => contest.money.held(contestpb.FundHeld.decode(payload)),
  'contest.FundRefused': (contest) => contest.fundRefused(),
  'contest.RoundStarted': (contest, payload) => contest.started(contestpb.RoundStarted.decode(payload)),
  'contest.ScoresRecorded': (contest, payload, atUs) => contest.scored(contestpb.ScoresRecorded.decode(payload), atUs),
  'contest.ScoreSubmitted': (contest, payload) => contest.submitted(contestpb.ScoreSubmitted.decode(payload)),
  'contest.ScoreRefused': (contest, payload) => {
    const { requestId, reason } = contestpb.ScoreRefused.decode(payload);
    contest.taskEnded(requestId, reason);
  },
  'contest.RoundEnded': (contest, payload) => contest.ended(contestpb.RoundEnded.decode(payload)),
  'contest.RoundReconciled': (contest, payload) => contest.reconciled(contestpb.RoundReconciledV2.decode(payload)),
  'contest.WinnersNamed': (contest, payload) => contest.named(contestpb.WinnersNamed.decode(payload)),
  'contest.RewardsOwed': (contest, payload) => contest.rewardsOwed(contestpb.RewardsOwed.decode(payload)),
  'contest.RewardsSettled': (contest, payload) => contest.rewardsSettled(contestpb.RewardsSettled.decode(payload)),
  'contest.FundSettled': (contest, payload) => contest.fundSettled(contestpb.FundSettled.decode(payload)),
  'contest.ContestCancelled': (contest) => contest.cancelled(),
};
