/** `sluice contest create` */
import { type ContestReward, type ContestRules, REWARD_KINDS, type RewardKind, SCORE_OPERATORS, type SideInput, TIE_RULES, WINNER_RULES } from '@sluice/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { dateOf, minorUnits, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { againText } from '../output';

interface CreateOptions extends Pick<ContestRules, 'operator' | 'winnerRule' | 'tieRule' | 'rounds'> {
  readonly side: readonly SideInput[];
  readonly title?: string;
  readonly roundDuration?: number;
  readonly joinUntil?: number;
  readonly minimumMembers?: number;
  readonly maximumMembers?: number;
  readonly pointsPerScore?: number;
  readonly pointsPerRound?: number;
  readonly reconcileWait?: number;
  readonly reward?: bigint;
  readonly rewardKind?: RewardKind;
  readonly fund?: string;
  readonly unit?: string;
  readonly requestId?: string;
}

export function addCreateCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('create')
    .description('create a contest with its sides')
    .argument('<contest>')
    .requiredOption('--side <side=accounts>', 'a side and its members; given for each side', side)
    .option('--title <text>', 'for people')
    .option('--rounds <count>', 'regular rounds (default 1)', wholeNumber)
    .option('--round-duration <milliseconds>', 'how long a round takes (default: until it is ended)', wholeNumber)
    .option('--join-until <time>', 'members may join before (ISO 8601; default: never)', timeUs)
    .option('--minimum-members <count>', 'members that every side needs at the start (default 1)', wholeNumber)
    .option('--maximum-members <count>', 'members that a side may have', wholeNumber)
    .option('--points-per-score <points>', 'the most points of one score', wholeNumber)
    .option('--points-per-round <points>', 'the most points of a member in a round', wholeNumber)
    .addOption(new Option('--operator <operator>', 'what a score does (default INCREMENT)').choices([...SCORE_OPERATORS]))
    .addOption(new Option('--winner-rule <rule>', 'by what it is won (default CUMULATIVE)').choices([...WINNER_RULES]))
    .addOption(new Option('--tie-rule <rule>', 'what happens when several sides are first (default NONE)').choices([...TIE_RULES]))
    .option('--reconcile-wait <milliseconds>', 'how long the reconciliation of a round waits (default 0)', wholeNumber)
    .option('--reward <amount>', 'what each winner gets, or what they share, in minor units', minorUnits)
    .addOption(new Option('--reward-kind <kind>', 'for each of them, in equal parts, or by points (default FIXED)').choices([...REWARD_KINDS]))
    .option('--fund <account>', 'that pays the reward')
    .option('--unit <unit>', 'of the reward')
    .option('--request-id <id>', 'id of this request; made when not given')
    .addHelpText(
      'after',
      `
Examples:
  sluice contest create cup --side red=ada,grace --side blue=alan
  sluice contest create cup --side red= --side blue= --join-until 2030-01-01 --rounds 3 --round-duration 60000
  sluice contest create cup --side red=ada --side blue=alan --reward 500 --fund prizes --unit EUR`,
    )
    .action((contestId: string, options: CreateOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { side: sides, title, requestId } = options;
        const created = await client.contests.create({ contestId, sides, title, rules: rulesOf(options), requestId });
        output.thing({ contestId, ...created }, [['contest', contestId], ['sides', sides.length], ['members', created.memberCount], againText(created)]);
      }),
    );
}

function rulesOf(options: CreateOptions): ContestRules {
  const { rounds, operator, winnerRule, tieRule } = options;
  return {
    rounds,
    roundDurationMs: options.roundDuration,
    joinUntil: dateOf(options.joinUntil),
    minimumMembersPerSide: options.minimumMembers,
    maximumMembersPerSide: options.maximumMembers,
    maximumPointsPerScore: options.pointsPerScore,
    maximumPointsPerMemberAndRound: options.pointsPerRound,
    operator,
    winnerRule,
    tieRule,
    reconcileWaitMs: options.reconcileWait,
    reward: rewardOf(options),
  };
}

function rewardOf({ reward: amountMinor, rewardKind: kind, fund, unit }: CreateOptions): ContestReward | undefined {
  if (amountMinor === undefined && kind === undefined && fund === undefined && unit === undefined) return undefined;
  if (amountMinor === undefined || fund === undefined || unit === undefined) throw new UsageError('--reward, --fund and --unit belong together');
  return { fundAccountId: fund, unit, kind, amountMinor };
}

/** SIDE=ACCOUNT,ACCOUNT, gathered over repeated options. */
function side(text: string, gathered: readonly SideInput[] = []): SideInput[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('it is SIDE=ACCOUNT,ACCOUNT or, without members yet, SIDE=');
  const accountIds = text
    .slice(at + 1)
    .split(',')
    .filter((accountId) => accountId !== '');
  return [...gathered, { sideId: text.slice(0, at), accountIds }];
}
