/**
 * Replays football matches as contests through gRPC, many at once, and compares every answer with the files.
 *
 *   create ─▶ start ─▶ goals of a round ─▶ end of the round ─▶ its reconciliation ─▶ next round … ─▶ winners
 *
 * Ids follow from the files alone: a second run gets the first answers again.
 */
import { basename } from 'node:path';
import type { Contest, RoundReconciliation, SidePoints, SluiceClient } from '@sluice/client';
import type { ReplayObserver } from './bank-replay';
import { ContestPhases } from './contest-phases';
import { ContestRewards } from './contest-rewards';
import { footballContest, type ExpectedScore, type FootballContest } from './football-contest';
import { readFootball } from './football-file';
import { ReadWindow } from './read-window';
import { roundToSpoil, type SpoilTotals, type SpoiltRound, SpoiltTotals } from './spoilt-totals';

export interface ContestReplayOptions {
  readonly matchesFile: string;
  readonly goalsFile: string;
  readonly client: SluiceClient;
  /** Spoils read totals on the way; undefined: the read store is left alone. */
  readonly spoil?: SpoilTotals | undefined;
  readonly observer: ReplayObserver;
}

export interface ContestReplayReport {
  readonly contests: number;
  /** Goals. */
  readonly scores: number;
  /** Scores that an earlier run had recorded. */
  readonly repeats: number;
  /** Rounds whose totals were changed in the read store, and those of them that the reconciliation reported and repaired; undefined: none was to be. */
  readonly tampering: { readonly spoilt: number; readonly repaired: number } | undefined;
  readonly mismatches: readonly string[];
}

/** Contests under way at once. */
const CONTESTS_AT_ONCE = 64;
const CALL_DEADLINE_MS = 60_000;
const CALL = { deadlineMs: CALL_DEADLINE_MS };

export async function replayContests(options: ContestReplayOptions): Promise<ContestReplayReport> {
  const { matchesFile, goalsFile, observer } = options;
  observer.step('reading', undefined);
  const matches = await readFootball(matchesFile, goalsFile);
  observer.stepDone();
  const namespace = basename(matchesFile).replace(/(\.csv)?(\.gz)?$/, '');
  const replay = new ContestReplay(
    options,
    matches.map((match) => footballContest(match, namespace)),
  );
  const rewards = new ContestRewards(options.client, namespace, replay.contests);
  observer.step('opening accounts', undefined);
  await rewards.prepare();
  observer.stepDone();
  await replay.run();
  observer.step('comparing accounts', undefined);
  const wrong = await rewards.compare();
  observer.stepDone();
  const report = replay.report();
  return { ...report, mismatches: [...report.mismatches, ...wrong] };
}

class ContestReplay {
  private readonly mismatches: string[] = [];
  private readonly spoilt: SpoiltTotals | undefined;
  private repeats = 0;

  constructor(
    private readonly options: ContestReplayOptions,
    readonly contests: readonly FootballContest[],
  ) {
    this.spoilt = options.spoil && new SpoiltTotals(options.spoil);
  }

  async run(): Promise<void> {
    const { observer } = this.options;
    observer.step('playing', this.contests.length);
    const window = new ReadWindow(CONTESTS_AT_ONCE);
    let done = 0;
    for (const [number, contest] of this.contests.entries()) {
      await window.enter();
      window.leaveWhen(this.play(contest, roundToSpoil(number, contest.rounds.length)), () => {
        done += 1;
        observer.progress(done);
      });
    }
    await window.allLeft();
    observer.stepDone();
  }

  report(): ContestReplayReport {
    const scores = this.contests.reduce((sum, { goals }) => sum + [...goals.values()].reduce((goalsSum, count) => goalsSum + count, 0), 0);
    const tampering = this.spoilt && { spoilt: this.spoilt.spoilt, repaired: this.spoilt.repaired };
    return { contests: this.contests.length, scores, repeats: this.repeats, tampering, mismatches: this.mismatches };
  }

  private async play(contest: FootballContest, tamperedRound: number): Promise<void> {
    const { contests } = this.options.client;
    const { contestId, input, rounds } = contest;
    await contests.create(input, CALL);
    await contests.start(contestId, 'start');
    const phases = new ContestPhases(contests, contestId);
    try {
      for (const [at, scores] of rounds.entries()) {
        const round = at + 1;
        const begun = await phases.until((seen) => isOver(seen) || (seen.phase === 'RUNNING' && seen.round === round));
        if (!this.isThere(contest, `round ${round}`, begun, phases)) return;
        const positionToken = await this.score(contest, scores);
        if (round === tamperedRound && !isOver(begun)) await this.tamper(contest, round, positionToken);
        const { sides } = await contests.endRound(contestId, round, `end-${round}`);
        this.compareRound(contest, round, sides, scores);
      }
      const ended = await phases.until(isOver);
      if (!this.isThere(contest, 'its end', ended, phases)) return;
      this.compareEnd(contest, ended);
      this.compareReconciliation(contest, tamperedRound, ended, await contests.reconciliation(contestId, { ...CALL, positionToken: '' }));
      await this.compareMembers(contest);
    } finally {
      await phases.end();
    }
  }

  /** Resolves with the position token of the scores; empty: there are none. */
  private async score(contest: FootballContest, scores: readonly ExpectedScore[]): Promise<string> {
    let positionToken = '';
    if (scores.length === 0) return positionToken;
    const outcomes = await this.options.client.contests.scoreBatch(
      scores.map(({ score }) => score),
      CALL,
    );
    for (const [at, { result, error }] of outcomes.entries()) {
      const { score, ...expected } = scores[at] as ExpectedScore;
      const name = score.requestId;
      if (error !== undefined) {
        this.differs(contest, `${name}: refused, ${error.reason}: ${error.message}`);
        continue;
      }
      ({ positionToken } = result);
      if (result.repeated) this.repeats += 1;
      for (const field of ['round', 'roundPoints', 'totalPoints', 'sideRoundPoints'] as const)
        this.compare(contest, `${name}: ${field}`, result[field], expected[field]);
    }
    return positionToken;
  }

  /** Spoils the totals when the read store has the scores: nothing else of the contest is on its way to it until the round is ended. */
  private async tamper({ contestId }: FootballContest, round: number, positionToken: string): Promise<void> {
    if (this.spoilt === undefined) return;
    await this.options.client.contests.get(contestId, { ...CALL, positionToken });
    await this.spoilt.spoilRound(contestId, round);
  }

  private compareRound(contest: FootballContest, round: number, sides: readonly SidePoints[], scores: readonly ExpectedScore[]): void {
    for (const { sideId, accountIds } of contest.input.sides) {
      const expected = scores.filter(({ score }) => accountIds.includes(score.accountId)).length;
      this.compare(contest, `round ${round} of ${sideId}`, sides.find((side) => side.sideId === sideId)?.points, expected);
    }
  }

  private compareEnd(contest: FootballContest, ended: Contest): void {
    this.compare(contest, 'phase', ended.phase, 'ENDED');
    this.compare(contest, 'winners', ended.winnerSideIds.join(), contest.winnerSideIds.join());
    for (const [at, { sideId, points }] of ended.sides.entries()) this.compare(contest, `goals of ${sideId}`, points, contest.totals[at]);
    this.compare(contest, 'scores', ended.scoreCount, contest.rounds.flat().length);
  }

  private compareReconciliation(contest: FootballContest, tamperedRound: number, ended: Contest, rounds: readonly RoundReconciliation[]): void {
    this.compare(contest, 'reconciled rounds', rounds.length, contest.rounds.length);
    const spoilt = this.spoilt?.of(contest.contestId);
    for (const reconciled of rounds) {
      const { round, outcome, scoreCount, notCompared } = reconciled;
      this.compare(contest, `scores in the log of round ${round}`, scoreCount, contest.rounds[round - 1]?.length);
      if (round === spoilt?.round) {
        if (this.isRepaired(contest, spoilt, ended, reconciled)) this.spoilt?.countRepaired();
        continue;
      }
      // An earlier run may have spoilt the round.
      const replacedBefore = this.spoilt !== undefined && spoilt === undefined && round === tamperedRound && outcome === 'REPLACED';
      if (!replacedBefore) this.compare(contest, `reconciliation of round ${round}`, `${outcome} ${notCompared}`.trim(), 'EQUAL');
    }
  }

  /** A spoilt round was reported with the points that were shown of it and with those of the log, and in the end those of the log are shown. */
  private isRepaired(contest: FootballContest, { round, shown }: SpoiltRound, ended: Contest, { outcome, sides, notCompared }: RoundReconciliation): boolean {
    const scores = contest.rounds[round - 1] ?? [];
    const before = this.mismatches.length;
    this.compare(contest, `reconciliation of the spoilt round ${round}`, `${outcome} ${notCompared}`.trim(), 'REPLACED');
    for (const [at, { sideId, logPoints, readPoints, readTotal }] of sides.entries()) {
      const { accountIds = [] } = contest.input.sides[at] ?? {};
      const expected = scores.filter(({ score }) => accountIds.includes(score.accountId)).length;
      this.compare(contest, `points of ${sideId} in the log of round ${round}`, logPoints, expected);
      this.compare(contest, `spoilt points of ${sideId} in round ${round}`, readPoints, shown.roundPoints[at]);
      this.compare(contest, `spoilt total of ${sideId} in round ${round}`, readTotal, shown.totals[at]);
    }
    return this.mismatches.length === before && ended.sides.every(({ points }, at) => points === contest.totals[at]);
  }

  private async compareMembers(contest: FootballContest): Promise<void> {
    for await (const { accountId, points } of this.options.client.contests.members(contest.contestId, '', { ...CALL, positionToken: '' }))
      this.compare(contest, `goals of ${accountId}`, points, contest.goals.get(accountId) ?? 0);
  }

  private isThere(contest: FootballContest, what: string, seen: Contest | undefined, { last }: ContestPhases): seen is Contest {
    if (seen === undefined) this.differs(contest, `${what} does not come; ${last}`);
    return seen !== undefined;
  }

  private compare(contest: FootballContest, what: string, found: unknown, expected: unknown): void {
    if (found !== expected) this.differs(contest, `${what}: ${String(found)}, the file says ${String(expected)}`);
  }

  private differs({ contestId }: FootballContest, text: string): void {
    this.mismatches.push(`${contestId}: ${text}`);
  }
}

function isOver({ phase }: Contest): boolean {
  return phase === 'ENDED' || phase === 'CANCELLED';
}
