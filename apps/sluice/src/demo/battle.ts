/**
 * `sluice demo battle`: two sides, thousands of givers, short rounds. In the end every unit that was given is a point or was given back, and every unit that
 * the fund gave was paid to a winner or came back.
 */
import { randomUUID } from 'node:crypto';
import { type Contest, SluiceClient, type WatchedStandings } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type ConnectionOptions, type Surroundings } from '../connection';
import { showStandings } from '../contest/watch';
import { EXIT, type ExitCode } from '../exit-code';
import { countText, Output, type Terminal } from '../output';
import { balanceOf, openFunded } from './funded-accounts';
import { type Givers, type GiversReport, startGivers } from './givers';
import { lookUntil } from './look-until';
import { withServer } from './with-server';

interface BattleOptions extends ConnectionOptions {
  readonly givers: number;
  readonly rounds: number;
  readonly roundSeconds: number;
}

const UNIT = 'EUR';
const SIDES = ['red', 'blue'] as const;
const MEMBERS_PER_SIDE = 50;
const GIVER_FUNDS = 1_000_000n;
const REWARD_MINOR = 100_000n;
const LARGEST_GIFT = 5;
const TOP = 8;
const DEFAULT_GIVERS = 2_000;
const DEFAULT_ROUNDS = 3;
const DEFAULT_ROUND_SECONDS = 5;
/** The largest that the rules allow. */
const RECONCILE_WAIT_MS = 60_000;

export function addBattleCommand(demo: Command, surroundings: Surroundings): void {
  demo
    .command('battle')
    .description('a contest of two sides with thousands of givers, a live scoreboard and rewards')
    .option('--givers <givers>', 'so many at once', wholeNumber, DEFAULT_GIVERS)
    .option('--rounds <rounds>', 'so many', wholeNumber, DEFAULT_ROUNDS)
    .option('--round-seconds <seconds>', 'how long each takes', wholeNumber, DEFAULT_ROUND_SECONDS)
    .addHelpText('after', '\nWith a server that runs already, or with one of its own.\n\nExample:\n  sluice demo battle --givers 5000')
    .action((_options: unknown, command: Command) =>
      withServer(command.optsWithGlobals<BattleOptions>(), surroundings, async (target, options, output) => {
        const client = new SluiceClient({ target });
        try {
          return await new Battle(client, target, options, output, surroundings.terminal).run();
        } finally {
          client.close();
        }
      }),
    );
}

interface Proof {
  readonly givenMinor: bigint;
  /** What the givers have less than before. */
  readonly spentMinor: bigint;
  readonly points: bigint;
  readonly paidMinor: bigint;
  /** What the fund has less than before. */
  readonly fundGaveMinor: bigint;
}

class Battle {
  private readonly name = `battle-${randomUUID().slice(0, 8)}`;
  private readonly fund = `${this.name}/fund`;
  private readonly members = SIDES.map((side) => Array.from({ length: MEMBERS_PER_SIDE }, (_, at) => `${this.name}/${side}/${at + 1}`));
  private readonly givers: readonly (readonly string[])[];

  constructor(
    private readonly client: SluiceClient,
    private readonly target: string,
    private readonly options: BattleOptions,
    private readonly output: Output,
    private readonly terminal: Terminal,
  ) {
    this.givers = SIDES.map((side, at) =>
      Array.from({ length: Math.ceil((options.givers - at) / SIDES.length) }, (_, number) => `${this.name}/givers-of-${side}/${number + 1}`),
    );
  }

  async run(): Promise<ExitCode> {
    await this.prepare();
    const { contest, report } = await this.fight();
    const proof = await this.prove(contest, report);
    const reconciliation = await this.client.contests.reconciliation(this.name);
    const areEqual = reconciliation.every(({ outcome }) => outcome === 'EQUAL');
    const refundedMinor = proof.givenMinor - proof.points;
    const verified = areEqual && proof.spentMinor === proof.points && refundedMinor >= 0n && proof.fundGaveMinor === proof.paidMinor;
    if (this.output.json) {
      this.output.object({ contestId: this.name, gifts: report.gifts, ...proof, refundedMinor, winners: contest.winnerSideIds, reconciliation, verified });
    } else {
      this.output.line(
        `${countText(report.gifts)} gifts: given = scored + given back: ${proof.givenMinor} = ${proof.points} + ${refundedMinor}; the givers have ${proof.spentMinor} less`,
      );
      this.output.line(`the fund gave = the winners got: ${proof.fundGaveMinor} = ${proof.paidMinor}`);
      this.output.line(`${reconciliation.length} rounds: log = read store: ${reconciliation.map(({ outcome }) => outcome).join(', ')}`);
      if (!verified) this.output.line('NOT VERIFIED');
    }
    return verified ? EXIT.done : EXIT.refused;
  }

  private async prepare(): Promise<void> {
    const { rounds, roundSeconds } = this.options;
    const givers = this.givers.flat();
    this.output.message(
      `${countText(givers.length)} givers, ${SIDES.length} sides of ${MEMBERS_PER_SIDE}, ${rounds} rounds of ${roundSeconds} s: contest ${this.name}`,
    );
    const accounts = [
      { accountId: this.fund, fundsMinor: REWARD_MINOR },
      ...this.members.flat().map((accountId) => ({ accountId, fundsMinor: 0n })),
      ...givers.map((accountId) => ({ accountId, fundsMinor: GIVER_FUNDS })),
    ];
    await openFunded(
      this.client,
      accounts.map((account) => ({ ...account, unit: UNIT })),
    );
    await this.client.contests.create({
      contestId: this.name,
      title: 'Battle',
      sides: SIDES.map((sideId, at) => ({ sideId, accountIds: this.members[at] as readonly string[] })),
      rules: {
        rounds,
        roundDurationMs: roundSeconds * 1_000,
        tieRule: 'SPLIT',
        reconcileWaitMs: RECONCILE_WAIT_MS,
        reward: { fundAccountId: this.fund, unit: UNIT, kind: 'CONTRIBUTION', amountMinor: REWARD_MINOR },
      },
    });
  }

  /** Resolves when the contest is over and every gift has its answer. */
  private async fight(): Promise<{ contest: Contest; report: GiversReport }> {
    const { target, name: contestId, givers, members } = this;
    const fighting = startGivers({ target, contestId, unit: UNIT, givers, members, largestGiftMinor: LARGEST_GIFT });
    try {
      await this.client.contests.start(contestId);
      await showStandings(
        this.followed(fighting),
        new Output({ results: this.terminal.messages, messages: this.terminal.messages }, false),
        this.terminal.messages,
      );
    } finally {
      fighting.tell('stop');
    }
    return { report: await fighting.stop(), contest: await this.client.contests.get(contestId) };
  }

  /** The standings; the givers give while a round runs. */
  private async *followed(givers: Givers): AsyncGenerator<WatchedStandings, void, undefined> {
    for await (const standings of this.client.contests.watchStandings(this.name, { top: TOP })) {
      givers.tell(standings.contest.phase === 'RUNNING' ? 'give' : 'pause');
      if (!this.output.json) yield standings;
    }
  }

  /** Reads until what came too late is given back: what the givers have less is what was scored. */
  private async prove({ sides }: Contest, { amountMinor }: GiversReport): Promise<Proof> {
    const points = BigInt(sides.reduce((sum, side) => sum + side.points, 0));
    const givers = this.givers.flat();
    const spentMinor = await lookUntil(
      async () => BigInt(givers.length) * GIVER_FUNDS - (await balanceOf(this.client, givers)),
      (spent) => spent === points,
    );
    const [paidMinor, left] = [await balanceOf(this.client, this.members.flat()), await balanceOf(this.client, [this.fund])];
    return { givenMinor: BigInt(amountMinor), spentMinor, points, paidMinor, fundGaveMinor: REWARD_MINOR - left };
  }
}
