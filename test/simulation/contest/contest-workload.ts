/**
 * Callers that create contests of different rules on one fund, which has money for two of three rewards; score in batches and alone, submit scores, give gifts, let members join, and end or cancel
 * rounds. When the deployment is calm the judge ends what nothing else ends, waits until every contest is over and nothing of it is under way, and reads the log:
 *
 *   - an acknowledged score is in the log once, with what was answered; a refused one is not; asking again gives the same answer;
 *   - a submitted score ends once, recorded or refused; a gift has scored once, or is refunded;
 *   - scores are taken while their round runs alone; points, sums and totals are those of the scores;
 *   - every round is reconciled, once, and every contest has one result, the one that its rules say;
 *   - each reward is paid once; what the fund gave is what winners got and what it has again, by the contest and by the entries of the accounts;
 *   - queries say of every contest what the log says.
 */
import { contestpb } from '@sluice/protocol/contest';
import { readAccountedFunds, type AccountedFunds } from '../money/accounted-funds';
import { fundedAccount } from '../money/funded-account';
import { transferKey, transferReader, type TransferReading } from '../money/transfer-model';
import { answerOrReason, readOr } from '../world/call-failed';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { contestReader, scoreKey, type ContestReading, type ReadContest } from './contest-model';

const COMMANDS = contestpb.ContestCommandServiceService;
const QUERIES = contestpb.ContestQueryServiceService;
const { RewardKind, ScoreOperator, TieRule, WinnerRule } = contestpb;
const UNIT = 'EUR';
const CALLERS = 2;
const STEPS_PER_CALLER = 10;
const MOST_ITEMS = 4;
const LOOK_US = 250_000;
/** Beyond every clock of the simulation. */
const FAR_US = 9_000_000_000_000_000n;
/** DEADLINE_EXCEEDED: another instance owns the partition of the item, and did not answer in time. */
const TRANSIENT_REASONS = new Set(['PARTITION_UNAVAILABLE', 'NOT_OWNER', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL', 'DEADLINE_EXCEEDED']);

const FUND = 'contest-fund';
const FUND_MINOR = 250n;
const GIVERS = ['giver-1', 'giver-2'];
const GIVER_MINOR = 60n;
const SIDES = [
  { sideId: 'red', accountIds: ['r1', 'r2'] },
  { sideId: 'blue', accountIds: ['b1', 'b2'] },
  { sideId: 'green', accountIds: ['g1'] },
];
/** "b2" and "late" have no account: their rewards are refused. */
const REWARDED = ['r1', 'r2', 'b1', 'g1'];
const MEMBERS = ['r1', 'r2', 'b1', 'b2', 'g1', 'late'];
const reward = (kind: contestpb.RewardKind, amountMinor: bigint): contestpb.ContestReward => ({ fundAccountId: FUND, unit: UNIT, kind, amountMinor });

const CONTESTS: Readonly<Record<string, Partial<contestpb.ContestRules>>> = {
  duel: {
    rounds: 2,
    roundDurationMs: 900n,
    tieRule: TieRule.TIE_RULE_SUDDEN_DEATH,
    reconcileWaitMs: 100n,
    reward: reward(RewardKind.REWARD_KIND_CONTRIBUTION, 101n),
  },
  race: {
    rounds: 3,
    operator: ScoreOperator.SCORE_OPERATOR_BEST,
    winnerRule: WinnerRule.WINNER_RULE_ROUND,
    tieRule: TieRule.TIE_RULE_SPLIT,
    maximumPointsPerMemberAndRound: 8n,
    reward: reward(RewardKind.REWARD_KIND_POT, 103n),
  },
  vote: {
    roundDurationMs: 4_000n,
    operator: ScoreOperator.SCORE_OPERATOR_LATEST,
    tieRule: TieRule.TIE_RULE_SHARED,
    joinUntilUs: FAR_US,
    maximumMembersPerSide: 3,
    reconcileWaitMs: 400n,
    reward: reward(RewardKind.REWARD_KIND_FIXED, 10n),
  },
};

interface Answered<Request> {
  readonly request: Request;
  /** What was recorded, or why nothing was. */
  readonly answer: string;
  readonly accepted: boolean;
}

interface ItemResult {
  readonly repeated: boolean;
  readonly error?: contestpb.ScoreError | undefined;
}

export class ContestWorkload implements Workload {
  readonly #callers: CallerGroup;
  readonly #scores = new Map<string, Answered<contestpb.ScoreRequest>>();
  readonly #gifts = new Map<string, Answered<contestpb.GiftRequest>>();
  readonly #submitted = new Map<string, Answered<contestpb.SubmitScoreRequest>>();

  constructor(private readonly deployment: Deployment) {
    this.#callers = new CallerGroup(deployment, 'scorer', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#scores.size} scores, ${this.#gifts.size} gifts, ${this.#submitted.size} submissions answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#callers.begin((callers, number) => this.#play(callers, number));
  }

  async #play(callers: Callers, number: number): Promise<void> {
    const { random } = callers;
    await this.#prepare(callers);
    for (let step = 0; step < this.deployment.partOf(STEPS_PER_CALLER); step += 1) {
      const id = `${number}-${step}`;
      await this.#score(callers, drawItems(callers, `s${id}`));
      if (random.chance(0.4)) await this.#submit(callers, drawItems(callers, `t${id}`)[0] as contestpb.ScoreRequest);
      if (random.chance(0.5)) await this.#give(callers, drawGifts(callers, `g${id}`));
      if (random.chance(0.2)) await this.#join(callers, `j${id}`);
      if (random.chance(0.3)) await this.#endRound(callers, 'race', random.between(1, 3), `e${id}`);
      if (random.chance(0.03)) await this.#cancel(callers, random.pick(Object.keys(CONTESTS)), `x${id}`);
      await callers.pause(random.below(700_000));
    }
  }

  /** Every caller asks for the same, with the same request ids: it is done once. */
  async #prepare(callers: Callers): Promise<void> {
    await fundedAccount(callers, FUND, UNIT, FUND_MINOR);
    for (const giver of GIVERS) await fundedAccount(callers, giver, UNIT, GIVER_MINOR);
    for (const accountId of REWARDED) await fundedAccount(callers, accountId, UNIT, 0n);
    for (const [contestId, rules] of Object.entries(CONTESTS)) {
      const create = contestpb.CreateContestRequest.fromPartial({ requestId: 'create', contestId, rules, sides: SIDES });
      await callers.call('command', COMMANDS.createContest.path, contestpb.CreateContestRequest.encode(create).finish());
      // Another caller may have cancelled it.
      await answerOrReason(
        callers.call('command', COMMANDS.startContest.path, contestpb.StartContestRequest.encode({ requestId: 'start', contestId }).finish()),
      );
    }
  }

  /** In batches; a single one is sent alone, or in a batch, too. */
  async #score(callers: Callers, scores: readonly contestpb.ScoreRequest[]): Promise<void> {
    const [first] = scores;
    if (scores.length === 1 && first !== undefined && callers.random.chance(0.5)) return this.#scoreAlone(callers, first);
    await untilAnswered(
      callers,
      scores,
      async (open) => {
        const request = contestpb.ScoreBatchRequest.encode({ scores: open }).finish();
        return contestpb.ScoreBatchResponse.decode(await callers.call('command', COMMANDS.scoreBatch.path, request)).results;
      },
      (score, result) => this.#keepScore(score, result.error === undefined ? toldOf(result) : result.error.reason, result.error === undefined, result.repeated),
    );
  }

  async #scoreAlone(callers: Callers, score: contestpb.ScoreRequest): Promise<void> {
    const answer = await answerOrReason(callers.call('command', COMMANDS.score.path, contestpb.ScoreRequest.encode(score).finish()));
    if (typeof answer === 'string') return this.#keepScore(score, answer, false, false);
    const response = contestpb.ScoreResponse.decode(answer);
    this.#keepScore(score, toldOf(response), true, response.repeated);
  }

  #keepScore(request: contestpb.ScoreRequest, answer: string, accepted: boolean, repeated: boolean): void {
    // An account that is no member yet may join: this refusal is not recorded.
    if (answer === 'CONTEST_MEMBER_NOT_FOUND' && !this.#scores.has(keyOf(request))) return;
    this.#keep(this.#scores, 'score', keyOf(request), { request, answer, accepted }, repeated);
  }

  async #give(callers: Callers, gifts: readonly contestpb.GiftRequest[]): Promise<void> {
    await untilAnswered(
      callers,
      gifts,
      async (open) => {
        const request = contestpb.GiftBatchRequest.encode({ gifts: open }).finish();
        return contestpb.GiftBatchResponse.decode(await callers.call('command', COMMANDS.giftBatch.path, request)).results;
      },
      (request, { error, balanceAfterMinor, entryNumber, repeated }) => {
        const answer = `${error?.reason ?? 'given'}, balance ${balanceAfterMinor}, entry ${entryNumber}`;
        this.#keep(this.#gifts, 'gift', transferKey(request.giverAccountId, request.requestId), { request, answer, accepted: error === undefined }, repeated);
      },
    );
  }

  async #submit(callers: Callers, score: contestpb.ScoreRequest): Promise<void> {
    const answer = await answerOrReason(callers.call('command', COMMANDS.submitScore.path, contestpb.SubmitScoreRequest.encode(score).finish()));
    if (typeof answer === 'string') return this.#keep(this.#submitted, 'submission', keyOf(score), { request: score, answer, accepted: false }, true);
    const { taskId, repeated } = contestpb.SubmitScoreResponse.decode(answer);
    this.#keep(this.#submitted, 'submission', keyOf(score), { request: score, answer: taskId, accepted: true }, repeated);
  }

  /** Keeps the first answer, or compares with it. */
  #keep<Request>(kept: Map<string, Answered<Request>>, what: string, key: string, answered: Answered<Request>, repeated: boolean): void {
    const { world } = this.deployment;
    const first = kept.get(key);
    if (first === undefined) {
      kept.set(key, answered);
      world.trace.note('answer', `${what} ${key}: ${answered.answer}`);
      return;
    }
    if (first.answer !== answered.answer) world.breach(`${what} ${key} was answered "${first.answer}" and then "${answered.answer}"`);
    if (answered.accepted && !repeated) world.breach(`${what} ${key} was answered twice, the second time not as a repeat`);
  }

  async #join(callers: Callers, requestId: string): Promise<void> {
    const request = contestpb.JoinContestRequest.encode({ requestId, contestId: 'vote', sideId: 'green', accountIds: ['late'] }).finish();
    await answerOrReason(callers.call('command', COMMANDS.joinContest.path, request));
  }

  async #endRound(callers: Callers, contestId: string, round: number, requestId: string): Promise<void> {
    await answerOrReason(callers.call('command', COMMANDS.endRound.path, contestpb.EndRoundRequest.encode({ requestId, contestId, round }).finish()));
  }

  async #cancel(callers: Callers, contestId: string, requestId: string): Promise<void> {
    const request = contestpb.CancelContestRequest.encode({ requestId, contestId, note: '' }).finish();
    await answerOrReason(callers.call('command', COMMANDS.cancelContest.path, request));
  }

  async judge(): Promise<void> {
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    const { contests, transfers } = await this.#untilAllIsOver(callers);
    if (this.deployment.world.breaches.length > 0) return;
    this.#compareAnswers(contests);
    this.#compareGifts(contests, transfers);
    const accounted = readAccountedFunds(this.deployment.cluster.decodedLog, 'contest');
    for (const contest of contests.values()) this.#compareMoney(contest, accounted(contest.contestId));
    await this.#score(callers, requestsOf(this.#scores));
    await this.#give(callers, requestsOf(this.#gifts));
    for (const request of requestsOf(this.#submitted)) await this.#submit(callers, request);
    for (const contest of contests.values()) await this.#compareQuery(callers, contest);
  }

  /** If something never ends, the judge does not, and that is a breach. */
  async #untilAllIsOver(callers: Callers): Promise<ContestReading & { readonly transfers: TransferReading }> {
    const { world, cluster } = this.deployment;
    const read = contestReader(cluster.decodedLog);
    const readTransfers = transferReader(cluster.decodedLog);
    for (let look = 0; ; look += 1) {
      const reading = read();
      const transfers = readTransfers();
      for (const contradiction of [...reading.contradictions, ...transfers.contradictions]) world.breach(`the log contradicts itself: ${contradiction}`);
      const open = [...reading.contests.values()].filter(({ isOver }) => !isOver);
      if (world.breaches.length > 0 || (open.length === 0 && transfers.pending === 0)) return { ...reading, transfers };
      world.trace.note('judge', `not over: ${open.map(({ contestId, phase, round }) => `${contestId} ${phase} ${round}`).join(', ')}`);
      const growth = this.deployment.growth(LOOK_US);
      for (const { contestId, round, phase, endsAtUs } of open) {
        if (phase === 'RUNNING' && endsAtUs === 0n) await this.#endRound(callers, contestId, round, `judge-${look}`);
        // Its fund refused.
        if (phase === 'CREATED') await this.#cancel(callers, contestId, `judge-${look}`);
      }
      await growth;
    }
  }

  #compareAnswers(contests: ReadonlyMap<string, ReadContest>): void {
    const { world } = this.deployment;
    for (const [key, { request, answer, accepted }] of this.#scores) {
      const recorded = contests.get(request.contestId)?.scores.get(scoreKey(request.requestId));
      const told = recorded === undefined ? 'nothing' : toldOf(recorded);
      if (told !== (accepted ? answer : 'nothing')) world.breach(`score ${key} was answered "${answer}"; the log says "${told}"`);
    }
    for (const [key, { request, answer, accepted }] of this.#submitted) {
      const contest = contests.get(request.contestId);
      const ended = contest?.tasks.get(request.requestId);
      const isScored = contest?.scores.has(scoreKey(request.requestId)) === true;
      if ((ended !== undefined) !== accepted || isScored !== (ended === ''))
        world.breach(`submission ${key} was answered "${answer}"; its task has ended with "${ended}", its score is ${isScored ? 'there' : 'not there'}`);
    }
  }

  #compareGifts(contests: ReadonlyMap<string, ReadContest>, { transfers }: TransferReading): void {
    const { world } = this.deployment;
    for (const [key, { request, answer, accepted }] of this.#gifts) {
      const transfer = transfers.get(key);
      const score = contests.get(request.contestId)?.scores.get(scoreKey(request.requestId, request.giverAccountId));
      const expected = score === undefined ? 'REFUNDED' : 'SETTLED';
      if (transfer?.state !== (accepted ? expected : undefined))
        world.breach(`gift ${key} was answered "${answer}" and is ${transfer?.state}; it is ${expected} by its contest`);
      if (score !== undefined && score.amountMinor !== request.amountMinor)
        world.breach(`gift ${key} of ${request.amountMinor} scored by ${score.amountMinor}`);
    }
    for (const { contestId, scores } of contests.values()) {
      for (const [key, { giverAccountId }] of scores)
        if (giverAccountId !== '' && transfers.get(key)?.state !== 'SETTLED')
          world.breach(`contest ${contestId} has a score of gift ${key}, which was never debited`);
    }
  }

  #compareMoney({ contestId, money }: ReadContest, accounted: AccountedFunds): void {
    const { world } = this.deployment;
    const held = money.state === 'SETTLED' ? money.heldMinor : 0n;
    if (accounted.takenMinor !== held || accounted.returnedMinor !== money.returnedMinor)
      world.breach(
        `contest ${contestId} held ${held}, returned ${money.returnedMinor}; its fund gave ${accounted.takenMinor}, has ${accounted.returnedMinor} again`,
      );
    for (const [accountId, { amountMinor, reason }] of money.rewards) {
      const paid = String(accounted.payments.get(accountId) ?? []);
      const expected = reason === '' ? String(amountMinor) : '';
      if (paid !== expected) world.breach(`contest ${contestId} owed ${accountId} ${amountMinor} ("${reason}"); its account was credited [${paid}]`);
    }
    for (const accountId of accounted.payments.keys())
      if (!money.rewards.has(accountId)) world.breach(`contest ${contestId} owed ${accountId} nothing, and its account was credited`);
  }

  async #compareQuery(callers: Callers, contest: ReadContest): Promise<void> {
    const { contestId, phase, scores, money } = contest;
    const request = contestpb.GetContestRequest.encode(contestpb.GetContestRequest.fromPartial({ contestId })).finish();
    const wanted = `${phase}, ${scores.size} scores, paid ${money.paidMinor}`;
    const read = await callers.readUntil(wanted, () =>
      readOr('absent', 'CONTEST_NOT_FOUND', async () => {
        const { contest: found } = contestpb.GetContestResponse.decode(await callers.call('query', QUERIES.getContest.path, request));
        const phaseName = contestpb.ContestPhase[found?.phase ?? 0]?.slice('CONTEST_PHASE_'.length);
        return `${phaseName}, ${found?.scoreCount} scores, paid ${found?.money?.paidMinor ?? 0n}`;
      }),
    );
    if (read !== wanted) this.deployment.world.breach(`contest ${contestId} is read as ${read}; the log says ${wanted}`);
  }
}

function drawItems({ random }: Callers, prefix: string): contestpb.ScoreRequest[] {
  return Array.from({ length: random.between(1, MOST_ITEMS) }, (_, item) => ({
    requestId: `${prefix}-${item}`,
    contestId: random.pick(Object.keys(CONTESTS)),
    accountId: random.pick(MEMBERS),
    points: BigInt(random.between(1, 9)),
    scoredAtUs: BigInt(random.between(1, 20)),
  }));
}

function drawGifts(callers: Callers, prefix: string): contestpb.GiftRequest[] {
  const { random } = callers;
  return drawItems(callers, prefix).map((score) =>
    contestpb.GiftRequest.fromPartial({ ...score, giverAccountId: random.pick(GIVERS), amountMinor: BigInt(random.between(1, 12)), unit: UNIT }),
  );
}

/** Sends the items in batches until each has an answer that is not transient. */
async function untilAnswered<Item, Result extends ItemResult>(
  callers: Callers,
  items: readonly Item[],
  send: (open: Item[]) => Promise<readonly Result[]>,
  keep: (item: Item, result: Result) => void,
): Promise<void> {
  let open = [...items];
  while (open.length > 0) {
    const results = await send(open);
    open = open.filter((item, at) => {
      const result = results[at];
      if (result === undefined || TRANSIENT_REASONS.has(result.error?.reason ?? '')) return true;
      keep(item, result);
      return false;
    });
    if (open.length > 0) await callers.pause(20_000 + callers.random.below(100_000));
  }
}

function requestsOf<Request>(answered: ReadonlyMap<string, Answered<Request>>): Request[] {
  return [...answered.values()].map(({ request }) => request);
}

function keyOf({ contestId, requestId }: contestpb.ScoreRequest): string {
  return `${contestId}/${requestId}`;
}

type ScoreOutcome = Pick<contestpb.ScoreResponse, 'round' | 'roundPoints' | 'totalPoints' | 'sideRoundPoints'>;

function toldOf({ round, roundPoints, totalPoints, sideRoundPoints }: ScoreOutcome): string {
  return `round ${round}: ${roundPoints}, ${totalPoints}, ${sideRoundPoints}`;
}
