/** Reads football matches and their goals. */
import { readCsvFile } from './csv-file';
import { MalformedFileError } from './malformed-file-error';

export const MATCH_COLUMNS = ['match_id', 'home', 'away', 'home_score', 'away_score', 'shootout_winner'] as const;
export const GOAL_COLUMNS = ['match_id', 'n', 'minute', 'team', 'scorer'] as const;

export interface Goal {
  /** Unique in its match. */
  readonly number: number;
  readonly minute: number;
  /** The team that the goal counts for, also where it is an own goal. */
  readonly team: string;
  readonly scorer: string;
}

export interface FootballMatch {
  /** Line of the file with the matches, 1 is the header. */
  readonly line: number;
  readonly matchId: string;
  readonly home: string;
  readonly away: string;
  readonly homeScore: number;
  readonly awayScore: number;
  /** Empty: there was no shootout. */
  readonly shootoutWinner: string;
  /** In the order of the file. */
  readonly goals: readonly Goal[];
}

type Row = Readonly<Record<string, string>>;
type MatchWithGoals = Omit<FootballMatch, 'goals'> & { readonly goals: Goal[] };

const WHOLE = /^\d{1,9}$/;

/** Matches in the order of their file. Throws MalformedFileError for a goal without its match, a match that is there twice, and values that are none. */
export async function readFootball(matchesFile: string, goalsFile: string): Promise<FootballMatch[]> {
  const matches = new Map<string, MatchWithGoals>();
  for await (const match of readCsvFile(matchesFile, { columns: MATCH_COLUMNS, plural: 'matches', rowOf: matchOf })) {
    const earlier = matches.get(match.matchId);
    if (earlier !== undefined) throw new MalformedFileError(matchesFile, match.line, `match ${match.matchId} is on line ${earlier.line} already`);
    matches.set(match.matchId, match);
  }
  for await (const { line, matchId, goal } of readCsvFile(goalsFile, { columns: GOAL_COLUMNS, plural: 'goals', rowOf: goalOf })) {
    const match = matches.get(matchId);
    if (match === undefined) throw new MalformedFileError(goalsFile, line, `there is no match ${matchId}`);
    if (goal.team !== match.home && goal.team !== match.away) throw new MalformedFileError(goalsFile, line, `${goal.team} does not play in match ${matchId}`);
    if (match.goals.some(({ number }) => number === goal.number))
      throw new MalformedFileError(goalsFile, line, `goal ${goal.number} of match ${matchId} is there twice`);
    match.goals.push(goal);
  }
  return [...matches.values()];
}

function matchOf(file: string, line: number, record: Row): MatchWithGoals {
  const text = (column: (typeof MATCH_COLUMNS)[number]): string => textOf(file, line, record, column);
  const home = text('home');
  const away = text('away');
  if (home === away) throw new MalformedFileError(file, line, `${home} plays against itself`);
  const shootoutWinner = record['shootout_winner'] ?? '';
  const homeScore = wholeOf(file, line, record, 'home_score');
  const awayScore = wholeOf(file, line, record, 'away_score');
  return { line, matchId: text('match_id'), home, away, homeScore, awayScore, shootoutWinner, goals: [] };
}

function goalOf(file: string, line: number, record: Row): { readonly line: number; readonly matchId: string; readonly goal: Goal } {
  const goal: Goal = {
    number: wholeOf(file, line, record, 'n'),
    minute: wholeOf(file, line, record, 'minute'),
    team: textOf(file, line, record, 'team'),
    scorer: textOf(file, line, record, 'scorer'),
  };
  return { line, matchId: textOf(file, line, record, 'match_id'), goal };
}

function textOf(file: string, line: number, record: Row, column: string): string {
  const value = record[column] ?? '';
  if (value === '') throw new MalformedFileError(file, line, `${column} is empty`);
  return value;
}

function wholeOf(file: string, line: number, record: Row, column: string): number {
  const value = record[column] ?? '';
  if (!WHOLE.test(value)) throw new MalformedFileError(file, line, `${column} is ${JSON.stringify(value)}, not a whole number`);
  return Number(value);
}
