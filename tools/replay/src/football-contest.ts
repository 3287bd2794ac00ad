/** A football match as a contest: sides, members, scores by round, and what must become of it. */
import type { ContestInput, ScoreInput } from '@sluice/client';
import type { FootballMatch, Goal } from './football-file';

export const REGULAR_ROUNDS = 3;
/** What each member of the winning side gets. */
export const REWARD_MINOR = 100n;
export const UNIT = 'EUR';
/** The largest that the rules allow: the read store is to have every score when it is compared. */
const RECONCILE_WAIT_MS = 60_000;
const FIRST_HALF_MINUTES = 45;
const REGULAR_MINUTES = 90;

/** A score with what must stand after it. */
export interface ExpectedScore {
  readonly score: ScoreInput & { readonly requestId: string };
  readonly round: number;
  readonly roundPoints: number;
  readonly totalPoints: number;
  readonly sideRoundPoints: number;
}

export interface FootballContest {
  readonly contestId: string;
  readonly input: ContestInput;
  /** By round, in the order of the file. A shootout is the one score of a further round. */
  readonly rounds: readonly (readonly ExpectedScore[])[];
  /** Home and away, as the file of the matches says. */
  readonly totals: readonly [number, number];
  /** By account: goals in all. */
  readonly goals: ReadonlyMap<string, number>;
  readonly winnerSideIds: readonly string[];
  /** Accounts of the sides that win. */
  readonly winners: readonly string[];
}

/** @param namespace begins every id, so that files do not mix on one server. */
export function footballContest(match: FootballMatch, namespace: string): FootballContest {
  const contestId = `${namespace}/${match.matchId}`;
  const teams = [match.home, match.away];
  const sides = teams.map((team) => ({ sideId: team, accountIds: membersOf(match, team, namespace) }));
  const shootout = hasShootout(match);
  const winnerSideIds = winnersOf(match);
  const goals = match.goals.map((goal) => ({ goal, round: roundOf(goal) }));
  const rounds = Array.from({ length: REGULAR_ROUNDS }, (_, at) => goals.filter(({ round }) => round === at + 1).map(({ goal }) => goal));
  return {
    contestId,
    input: {
      requestId: 'create',
      contestId,
      title: `${match.home} – ${match.away}`,
      sides,
      rules: {
        rounds: REGULAR_ROUNDS,
        tieRule: shootout ? 'SUDDEN_DEATH' : 'NONE',
        reconcileWaitMs: RECONCILE_WAIT_MS,
        reward: { fundAccountId: fundAccount(namespace), unit: UNIT, kind: 'FIXED', amountMinor: REWARD_MINOR },
      },
    },
    rounds: [...expectedScores(contestId, namespace, rounds), ...(shootout ? [[shootoutScore(contestId, namespace, match)]] : [])],
    totals: [match.homeScore, match.awayScore],
    goals: goalsByAccount(match, namespace),
    winnerSideIds,
    winners: sides.filter(({ sideId }) => winnerSideIds.includes(sideId)).flatMap(({ accountIds }) => accountIds),
  };
}

export function roundOf({ minute }: Pick<Goal, 'minute'>): number {
  if (minute <= FIRST_HALF_MINUTES) return 1;
  return minute <= REGULAR_MINUTES ? 2 : REGULAR_ROUNDS;
}

/** The team's own account first, then its scorers, those of its opponents' own goals too, in the order of their first goals. */
function membersOf(match: FootballMatch, team: string, namespace: string): string[] {
  const scorers = match.goals.filter((goal) => goal.team === team).map(({ scorer }) => scorerAccount(namespace, team, scorer));
  return [...new Set([teamAccount(namespace, team), ...scorers])];
}

export function fundAccount(namespace: string): string {
  return `${namespace}/fund`;
}

function teamAccount(namespace: string, team: string): string {
  return `${namespace}/${team}`;
}

/** Keyed by the team: a player may score for both. */
function scorerAccount(namespace: string, team: string, scorer: string): string {
  return `${namespace}/${team}/${scorer}`;
}

/** A shootout counts where the match is a draw; elsewhere it decided between two matches. */
export function hasShootout({ home, away, homeScore, awayScore, shootoutWinner }: FootballMatch): boolean {
  return homeScore === awayScore && (shootoutWinner === home || shootoutWinner === away);
}

function winnersOf(match: FootballMatch): string[] {
  const { home, away, homeScore, awayScore, shootoutWinner } = match;
  if (homeScore !== awayScore) return [homeScore > awayScore ? home : away];
  return hasShootout(match) ? [shootoutWinner] : [];
}

function expectedScores(contestId: string, namespace: string, rounds: readonly (readonly Goal[])[]): ExpectedScore[][] {
  const totals = new Map<string, number>();
  return rounds.map((goals, at) => {
    const points = new Map<string, number>();
    const count = (counts: Map<string, number>, key: string): number => {
      const counted = (counts.get(key) ?? 0) + 1;
      counts.set(key, counted);
      return counted;
    };
    return goals.map(({ number, team, scorer }) => {
      const accountId = scorerAccount(namespace, team, scorer);
      return {
        score: { requestId: `goal-${number}`, contestId, accountId, points: 1 },
        round: at + 1,
        roundPoints: count(points, `member ${accountId}`),
        totalPoints: count(totals, accountId),
        sideRoundPoints: count(points, `side ${team}`),
      };
    });
  });
}

/** Its points count in no total. */
function shootoutScore(contestId: string, namespace: string, { shootoutWinner }: FootballMatch): ExpectedScore {
  const score = { requestId: 'shootout', contestId, accountId: teamAccount(namespace, shootoutWinner), points: 1 };
  return { score, round: REGULAR_ROUNDS + 1, roundPoints: 1, totalPoints: 0, sideRoundPoints: 1 };
}

function goalsByAccount({ goals }: FootballMatch, namespace: string): Map<string, number> {
  const byAccount = new Map<string, number>();
  for (const { team, scorer } of goals) {
    const accountId = scorerAccount(namespace, team, scorer);
    byAccount.set(accountId, (byAccount.get(accountId) ?? 0) + 1);
  }
  return byAccount;
}
