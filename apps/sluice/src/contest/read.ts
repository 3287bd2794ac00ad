/** `sluice contest get | list | standings | scores | submitted | rewards | reconciliation`: from the read store. */
import {
  type Contest,
  CONTEST_PHASES,
  type ContestPhase,
  type ContestScore,
  type MemberReward,
  type MemberStanding,
  REWARD_STATES,
  type RewardState,
  type RoundReconciliation,
  SUBMITTED_SCORE_STATES,
  type SubmittedScore,
  type SubmittedScoreState,
} from '@sluice/client';
import { type Command, Option } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT } from '../exit-code';
import { firstOf, MAXIMUM_PAGE_SIZE, pageOf } from '../listing';
import { type Cell, clockText } from '../output';
import { contestPairs, sidesText } from './contest-view';

const DEFAULT_SHOWN = 100;
/** Members of a page around one, where no other number is asked for. */
const AROUND_SHOWN = 11;
const LIMIT_HELP = `at most so many; 0: all (default ${DEFAULT_SHOWN}); around a member ${MAXIMUM_PAGE_SIZE} at most (default ${AROUND_SHOWN})`;

interface ListOptions {
  readonly phase?: ContestPhase;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

interface StandingsOptions {
  readonly side?: string;
  readonly around?: string;
  readonly limit?: number;
}

interface ScoresOptions {
  readonly round?: number;
  readonly account?: string;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

interface RewardOptions {
  readonly state?: RewardState;
  readonly limit: number;
}

interface SubmittedOptions {
  readonly state?: SubmittedScoreState;
  readonly requestId?: string;
  readonly limit: number;
}

export function addReadCommands(contest: Command, surroundings: Surroundings): void {
  addContestReads(contest, surroundings);
  addStandingsCommand(contest, surroundings);
  addScoresCommand(contest, surroundings);
  addSubmittedCommand(contest, surroundings);
  addRewardsCommand(contest, surroundings);
  addReconciliationCommand(contest, surroundings);
}

function addContestReads(contest: Command, surroundings: Surroundings): void {
  contest
    .command('get')
    .description('show a contest with the points of its sides')
    .argument('<contest>')
    .addHelpText('after', '\nExample:\n  sluice contest get cup')
    .action((contestId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.contests.get(contestId);
        output.thing(found, contestPairs(found));
      }),
    );
  contest
    .command('list')
    .description('list contests, the newest first')
    .addOption(new Option('--phase <phase>', 'only those in this phase').choices([...CONTEST_PHASES]))
    .option('--oldest-first', 'oldest first')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice contest list\n  sluice contest list --phase RUNNING --limit 0')
    .action(({ phase, oldestFirst, limit }: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const filter = { phase, newestFirst: oldestFirst !== true };
        output.table<Contest>(await firstOf(limit, client.contests.list(filter, pageOf(limit))), {
          contest: (row) => row.contestId,
          title: (row) => row.title,
          phase: (row) => row.phase,
          round: (row) => `${row.round}/${row.rules.rounds}`,
          points: (row) => sidesText(row),
          winners: (row) => row.winnerSideIds.join(', '),
          scores: (row) => row.scoreCount,
          created: (row) => clockText(row.createdAt),
        });
      }),
    );
}

function addStandingsCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('standings')
    .description('show members by their points')
    .argument('<contest>')
    .option('--side <side>', 'only members of this side')
    .option('--around <account>', 'those around this member')
    .option('--limit <count>', LIMIT_HELP, wholeNumber)
    .addHelpText('after', '\nExamples:\n  sluice contest standings cup --limit 10\n  sluice contest standings cup --around ada')
    .action((contestId: string, { side, around, limit }: StandingsOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { contests } = client;
        const members =
          around === undefined
            ? await firstOf(limit ?? DEFAULT_SHOWN, contests.members(contestId, side, pageOf(limit ?? DEFAULT_SHOWN)))
            : (await contests.standings(contestId, { sideId: side, accountId: around }, pageOf(limit ?? AROUND_SHOWN))).members;
        output.table<MemberStanding>(members, {
          rank: (row) => row.rank,
          account: (row) => row.accountId,
          side: (row) => row.sideId,
          points: (row) => row.points,
          'in this round': (row) => row.roundPoints,
        });
      }),
    );
}

function addScoresCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('scores')
    .description('show recorded scores, the newest first')
    .argument('<contest>')
    .option('--round <number>', 'only of this round', wholeNumber)
    .option('--account <account>', 'only of this member')
    .option('--oldest-first', 'oldest first')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExample:\n  sluice contest scores cup --account ada')
    .action((contestId: string, { round, account, oldestFirst, limit }: ScoresOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const filter = { round, accountId: account, newestFirst: oldestFirst !== true };
        output.table<ContestScore>(await firstOf(limit, client.contests.scores(contestId, filter, pageOf(limit))), {
          round: (row) => row.round,
          account: (row) => row.accountId,
          side: (row) => row.sideId,
          points: (row) => row.points,
          'in the round': (row) => row.roundPoints,
          'in all': (row) => row.totalPoints,
          recorded: (row) => clockText(row.recordedAt),
          'request id': (row) => row.requestId,
        });
      }),
    );
}

function addSubmittedCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('submitted')
    .description('show what became of submitted scores, the oldest first')
    .argument('<contest>')
    .addOption(new Option('--state <state>', 'only in this state').choices(SUBMITTED_SCORE_STATES))
    .option('--request-id <id>', 'only the one of this request')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice contest submitted cup --state REFUSED\n  sluice contest submitted cup --request-id s1')
    .action((contestId: string, { limit, ...filter }: SubmittedOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table<SubmittedScore>(await firstOf(limit, client.contests.submittedScores(contestId, filter, pageOf(limit))), {
          account: (row) => row.accountId,
          points: (row) => row.points,
          state: (row) => row.state,
          round: (row) => row.round,
          refused: (row) => row.reason,
          submitted: (row) => clockText(row.submittedAt),
          'request id': (row) => row.requestId,
        });
      }),
    );
}

function addRewardsCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('rewards')
    .description('show the rewards of the winners, in the order of joining')
    .argument('<contest>')
    .addOption(new Option('--state <state>', 'only in this state').choices(REWARD_STATES))
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice contest rewards cup\n  sluice contest rewards cup --state RETURNED')
    .action((contestId: string, { limit, ...filter }: RewardOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table<MemberReward>(await firstOf(limit, client.contests.rewards(contestId, filter, pageOf(limit))), {
          account: (row) => row.accountId,
          side: (row) => row.sideId,
          amount: (row) => row.amountMinor,
          state: (row) => row.state,
          refused: (row) => row.reason,
          owed: (row) => clockText(row.owedAt),
          settled: (row) => clockText(row.settledAt),
        });
      }),
    );
}

function addReconciliationCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('reconciliation')
    .description('show each round that has ended with its sums in the log and in the read store')
    .argument('<contest>')
    .addHelpText('after', '\nEnds with 1 if the read store differed from the log in a round.\n\nExample:\n  sluice contest reconciliation cup')
    .action((contestId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const rounds = await client.contests.reconciliation(contestId);
        output.table<RoundReconciliation>(rounds, {
          round: (row) => (row.suddenDeath ? `${row.round} (sudden death)` : row.round),
          outcome: (row) => row.outcome,
          scores: (row) => row.scoreCount,
          log: (row) => row.sides.map(({ sideId, logPoints }) => `${sideId} ${logPoints}`).join(', '),
          'read store': (row) => readText(row),
          'log sequence': (row) => row.logSequence,
          'read sequence': (row) => (row.readSequence === 0n ? undefined : row.readSequence),
          reconciled: (row) => clockText(row.reconciledAt),
        });
        return rounds.some(({ outcome }) => outcome === 'REPLACED') ? EXIT.refused : EXIT.done;
      }),
    );
}

function readText({ sides, notCompared }: RoundReconciliation): Cell {
  const compared = sides.filter(({ readPoints }) => readPoints !== undefined);
  return compared.length === 0 ? notCompared : compared.map(({ sideId, readPoints }) => `${sideId} ${readPoints}`).join(', ');
}
