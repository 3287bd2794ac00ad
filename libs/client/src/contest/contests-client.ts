/** Everything that can be done with contests. */
import { randomUUID } from 'node:crypto';
import { contestpb } from '@sluice/protocol/contest';
import type { BatchingOptions } from '../batching-options';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { callCommand } from '../command-call';
import { checkBatch, sendItems } from '../item-batch';
import { ItemBatcher } from '../item-batcher';
import { requestKey, streamItems } from '../item-stream';
import type { ItemStreamOptions } from '../item-stream-options';
import type { PositionTracker } from '../position-tracker';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads, type WatchOptions } from '../reads';
import type { SluiceError } from '../sluice-error';
import { timeToWire } from '../time-wire';
import type {
  ContestCreated,
  ContestInput,
  ContestStarted,
  GiftInput,
  GiftOutcome,
  GiftReceipt,
  MembersJoined,
  RoundEnded,
  ScoreInput,
  ScoreOutcome,
  ScoreResult,
  ScoreSubmission,
} from './contest';
import type {
  Contest,
  ContestFilter,
  ContestScore,
  SubmittedScore,
  SubmittedScoreFilter,
  MemberReward,
  MemberStanding,
  RewardFilter,
  RoundReconciliation,
  ScoreFilter,
  Standings,
  StandingsFilter,
  WatchedStandings,
} from './contest-state';
import {
  contestFromWire,
  memberFromWire,
  phaseToWire,
  reconciliationFromWire,
  rewardFromWire,
  scoreFromWire,
  submittedScoreFromWire,
} from './contest-state-wire';
import { contestToWire, giftOutcomeOf, giftSizeBytes, giftToWire, scoreOutcomeOf, scoreSizeBytes, scoreToWire, timeOfUs } from './contest-wire';

/** @internal */
export interface ContestsClientOptions {
  readonly caller: Caller;
  readonly commands: contestpb.ContestCommandServiceClient;
  readonly queries: contestpb.ContestQueryServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
  readonly batching: BatchingOptions | undefined;
}

export class ContestsClient {
  readonly #options: ContestsClientOptions;
  readonly #batcher: ItemBatcher<contestpb.ScoreRequest, ScoreResult>;
  readonly #giftBatcher: ItemBatcher<contestpb.GiftRequest, GiftReceipt>;

  /** @internal Made by SluiceClient. */
  constructor(options: ContestsClientOptions) {
    this.#options = options;
    const batches = {
      plural: 'scores',
      requestIdOf: (score: contestpb.ScoreRequest) => score.requestId,
      sizeBytes: scoreSizeBytes,
      encode: (score: contestpb.ScoreRequest) => contestpb.ScoreRequest.encode(score).finish(),
      send: (scores: readonly contestpb.ScoreRequest[], deadlineAt: number) => this.#scoreOnce([...scores], deadlineAt),
    };
    this.#batcher = new ItemBatcher<contestpb.ScoreRequest, ScoreResult>(options.caller, batches, options.batching);
    const giftBatches = {
      plural: 'gifts',
      requestIdOf: (gift: contestpb.GiftRequest) => gift.requestId,
      sizeBytes: giftSizeBytes,
      encode: (gift: contestpb.GiftRequest) => contestpb.GiftRequest.encode(gift).finish(),
      send: (gifts: readonly contestpb.GiftRequest[], deadlineAt: number) => this.#giftOnce([...gifts], deadlineAt),
    };
    this.#giftBatcher = new ItemBatcher<contestpb.GiftRequest, GiftReceipt>(options.caller, giftBatches, options.batching);
  }

  async create(input: ContestInput, options?: CallOptions): Promise<ContestCreated> {
    const { commands } = this.#options;
    const { memberCount, repeated, positionToken } = await this.#command(commands.createContest.bind(commands), contestToWire(input), options);
    return { memberCount, repeated, positionToken };
  }

  /** Adds members to a side, all of them or none; at most 10,000. */
  async join(contestId: string, sideId: string, accountIds: readonly string[], requestId: string = randomUUID()): Promise<MembersJoined> {
    const { commands } = this.#options;
    const request = { requestId, contestId, sideId, accountIds: [...accountIds] };
    const { memberCount, repeated, positionToken } = await this.#command(commands.joinContest.bind(commands), request);
    return { memberCount, repeated, positionToken };
  }

  /** Starts the first round; of a contest with a reward, when its fund has given the largest payout. */
  async start(contestId: string, requestId: string = randomUUID()): Promise<ContestStarted> {
    const { commands } = this.#options;
    const started = await this.#command(commands.startContest.bind(commands), { requestId, contestId });
    const { roundEndsAtUs, repeated, positionToken } = started;
    const phase = started.phase === contestpb.ContestPhase.CONTEST_PHASE_STARTING ? 'STARTING' : 'RUNNING';
    return { phase, roundEndsAt: timeOfUs(roundEndsAtUs), repeated, positionToken };
  }

  /** Ends the round of this number, also before its time. */
  async endRound(contestId: string, round: number, requestId: string = randomUUID()): Promise<RoundEnded> {
    const { commands } = this.#options;
    const { sides, repeated, positionToken } = await this.#command(commands.endRound.bind(commands), { requestId, contestId, round });
    return { sides: sides.map(({ sideId, points }) => ({ sideId, points: Number(points) })), repeated, positionToken };
  }

  /** Gives the contest up: it names no winners. */
  async cancel(contestId: string, change: { readonly note?: string; readonly requestId?: string } = {}): Promise<void> {
    const { commands } = this.#options;
    const { note = '', requestId = randomUUID() } = change;
    await this.#command(commands.cancelContest.bind(commands), { requestId, contestId, note });
  }

  /** One score; travels together with what else is scored at the same time. Throws a SluiceError when it is refused. Resolves when it is durable. */
  async score(input: ScoreInput, options?: CallOptions): Promise<ScoreResult> {
    return this.#batcher.add(scoreToWire(input), this.#options.caller.deadlineAt(options));
  }

  /** Up to 10,000 scores in one call; each has its own outcome, in order. Refusals do not throw. */
  async scoreBatch(inputs: readonly ScoreInput[], options: CallOptions = {}): Promise<ScoreOutcome[]> {
    checkBatch(inputs.length, 'scores');
    const { caller } = this.#options;
    const deadlineAt = caller.deadlineAt(options);
    const send = (scores: readonly contestpb.ScoreRequest[]): Promise<ScoreOutcome[]> => this.#scoreOnce([...scores], deadlineAt);
    const failed = ({ requestId, contestId }: contestpb.ScoreRequest, error: SluiceError): ScoreOutcome => ({
      requestId,
      contestId,
      error: error.about(requestId),
    });
    return sendItems(caller, { items: inputs.map(scoreToWire), send, failed }, deadlineAt);
  }

  /**
   * Scores of any number, one by one, over one stream; an outcome comes as soon as it is durable. Outcomes of different
   * contests may overtake each other. Connections that break are opened again and what has no answer is sent again.
   */
  scoreStream(inputs: AsyncIterable<ScoreInput> | Iterable<ScoreInput>, options?: ItemStreamOptions): AsyncGenerator<ScoreOutcome, void, undefined> {
    const { caller, commands, positions } = this.#options;
    const streamed = {
      open: () => commands.scoreStream(caller.metadata()),
      item: scoreToWire,
      message: (score: contestpb.ScoreRequest) => ({ score }),
      keyOfItem: ({ contestId, requestId }: contestpb.ScoreRequest) => requestKey(contestId, requestId),
      keyOfAnswer: ({ contestId, requestId }: contestpb.ScoreStreamResponse) => requestKey(contestId, requestId),
      outcome: (score: contestpb.ScoreRequest, { result, positionToken }: contestpb.ScoreStreamResponse) => scoreOutcomeOf(score, result, positionToken),
      onPosition: (token: string) => positions.add(token),
    };
    return streamItems(caller, streamed, inputs, options);
  }

  /** Takes a score durably, to be recorded later by a change task, in the round that runs then. */
  async submitScore(input: ScoreInput, options?: CallOptions): Promise<ScoreSubmission> {
    const { commands } = this.#options;
    const score = scoreToWire(input);
    const { taskId, repeated, positionToken } = await this.#command(commands.submitScore.bind(commands), score, options);
    return { requestId: score.requestId, contestId: score.contestId, taskId, repeated, positionToken };
  }

  /** Debits the giver, and scores. Travels together with what else is given at the same time. Throws a SluiceError when the debit is refused. */
  async gift(input: GiftInput, options?: CallOptions): Promise<GiftReceipt> {
    return this.#giftBatcher.add(giftToWire(input), this.#options.caller.deadlineAt(options));
  }

  /** Up to 10,000 gifts in one call; each has its own outcome, in order. Refusals do not throw. */
  async giftBatch(inputs: readonly GiftInput[], options: CallOptions = {}): Promise<GiftOutcome[]> {
    checkBatch(inputs.length, 'gifts');
    const { caller } = this.#options;
    const deadlineAt = caller.deadlineAt(options);
    const send = (gifts: readonly contestpb.GiftRequest[]): Promise<GiftOutcome[]> => this.#giftOnce([...gifts], deadlineAt);
    const failed = ({ requestId, giverAccountId }: contestpb.GiftRequest, error: SluiceError): GiftOutcome => ({
      requestId,
      giverAccountId,
      error: error.about(requestId),
    });
    return sendItems(caller, { items: inputs.map(giftToWire), send, failed }, deadlineAt);
  }

  // Reads.

  async get(contestId: string, options?: ReadOptions): Promise<Contest> {
    const { queries, reads } = this.#options;
    const { contest } = await reads.read(queries.getContest.bind(queries), { contestId, ...reads.covering(options) }, options);
    return contestFromWire(contest);
  }

  async listPage(filter: ContestFilter = {}, options: PageOptions = {}): Promise<Page<Contest>> {
    const { queries, reads } = this.#options;
    const request: contestpb.ListContestsRequest = {
      phase: phaseToWire(filter.phase),
      createdFrom: timeToWire(filter.createdFrom),
      createdBefore: timeToWire(filter.createdBefore),
      newestFirst: filter.newestFirst ?? false,
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { contests, nextPageToken } = await reads.read(queries.listContests.bind(queries), request, options);
    return { items: contests.map(contestFromWire), nextPageToken };
  }

  /** Contests by the time of their creation, page after page as they are asked for. */
  list(filter: ContestFilter = {}, options: PageOptions = {}): AsyncGenerator<Contest, void, undefined> {
    return iteratePages((page) => this.listPage(filter, page), options);
  }

  /** The sides, and a page of members by their points: from the first one on, or around a member. */
  async standings(contestId: string, filter: StandingsFilter = {}, options: PageOptions = {}): Promise<Standings> {
    const { queries, reads } = this.#options;
    const request: contestpb.GetStandingsRequest = {
      contestId,
      sideId: filter.sideId ?? '',
      accountId: filter.accountId ?? '',
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const answer = await reads.read(queries.getStandings.bind(queries), request, options);
    const { contest, members, memberCount, nextPageToken, previousPageToken } = answer;
    return { contest: contestFromWire(contest), members: members.map(memberFromWire), memberCount, nextPageToken, previousPageToken };
  }

  /** Members by their points, page after page as they are asked for. */
  members(contestId: string, sideId = '', options: PageOptions = {}): AsyncGenerator<MemberStanding, void, undefined> {
    return iteratePages(async (page) => {
      const { members, nextPageToken } = await this.standings(contestId, { sideId }, page);
      return { items: members, nextPageToken };
    }, options);
  }

  async scoresPage(contestId: string, filter: ScoreFilter = {}, options: PageOptions = {}): Promise<Page<ContestScore>> {
    const { queries, reads } = this.#options;
    const request: contestpb.ListScoresRequest = {
      contestId,
      round: filter.round ?? 0,
      accountId: filter.accountId ?? '',
      newestFirst: filter.newestFirst ?? false,
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { scores, nextPageToken } = await reads.read(queries.listScores.bind(queries), request, options);
    return { items: scores.map(scoreFromWire), nextPageToken };
  }

  /** Recorded scores, page after page as they are asked for. */
  scores(contestId: string, filter: ScoreFilter = {}, options: PageOptions = {}): AsyncGenerator<ContestScore, void, undefined> {
    return iteratePages((page) => this.scoresPage(contestId, filter, page), options);
  }

  async submittedScoresPage(contestId: string, filter: SubmittedScoreFilter = {}, options: PageOptions = {}): Promise<Page<SubmittedScore>> {
    const { queries, reads } = this.#options;
    const request: contestpb.ListSubmittedScoresRequest = {
      contestId,
      state: contestpb.SubmittedScoreState[`SUBMITTED_SCORE_STATE_${filter.state ?? 'UNSPECIFIED'}`],
      requestId: filter.requestId ?? '',
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { scores, nextPageToken } = await reads.read(queries.listSubmittedScores.bind(queries), request, options);
    return { items: scores.map(submittedScoreFromWire), nextPageToken };
  }

  /** Submitted scores with what became of them, in the order of their submission, page after page as they are asked for. */
  submittedScores(contestId: string, filter: SubmittedScoreFilter = {}, options: PageOptions = {}): AsyncGenerator<SubmittedScore, void, undefined> {
    return iteratePages((page) => this.submittedScoresPage(contestId, filter, page), options);
  }

  async rewardsPage(contestId: string, filter: RewardFilter = {}, options: PageOptions = {}): Promise<Page<MemberReward>> {
    const { queries, reads } = this.#options;
    const request: contestpb.ListRewardsRequest = {
      contestId,
      state: contestpb.RewardState[`REWARD_STATE_${filter.state ?? 'UNSPECIFIED'}`],
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { rewards, nextPageToken } = await reads.read(queries.listRewards.bind(queries), request, options);
    return { items: rewards.map(rewardFromWire), nextPageToken };
  }

  /** Rewards in the order of joining, page after page as they are asked for. The sums of the contest's money are in the contest. */
  rewards(contestId: string, filter: RewardFilter = {}, options: PageOptions = {}): AsyncGenerator<MemberReward, void, undefined> {
    return iteratePages((page) => this.rewardsPage(contestId, filter, page), options);
  }

  /** Each round that has ended: its sums in the log and in the read store. */
  async reconciliation(contestId: string, options?: ReadOptions): Promise<RoundReconciliation[]> {
    const { queries, reads } = this.#options;
    const request = { contestId, ...reads.covering(options) };
    const { rounds } = await reads.read(queries.getReconciliation.bind(queries), request, options);
    return rounds.map(reconciliationFromWire);
  }

  /** The contest as it is now, then again after changes, until it is over. */
  async *watch(contestId: string, options?: WatchOptions): AsyncGenerator<Contest, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { contestId, ...reads.covering(options) };
    for await (const { contest } of caller.stream((metadata) => queries.watchContest(request, metadata), options)) yield contestFromWire(contest);
  }

  /** The first members and one more now, then again after changes, at most five times a second, until the contest is over. */
  async *watchStandings(
    contestId: string,
    filter: StandingsFilter & { readonly top?: number } = {},
    options?: WatchOptions,
  ): AsyncGenerator<WatchedStandings, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const { sideId = '', accountId = '', top = 0 } = filter;
    const request = { contestId, sideId, accountId, top, ...reads.covering(options) };
    for await (const seen of caller.stream((metadata) => queries.watchStandings(request, metadata), options)) {
      const { contest, members, member, memberCount } = seen;
      yield { contest: contestFromWire(contest), members: members.map(memberFromWire), member: member && memberFromWire(member), memberCount };
    }
  }

  async #scoreOnce(scores: contestpb.ScoreRequest[], deadlineAt: number): Promise<ScoreOutcome[]> {
    const { caller, commands, positions } = this.#options;
    const { results, positionToken } = await caller.attempt(commands.scoreBatch.bind(commands), { scores }, deadlineAt);
    positions.add(positionToken);
    return scores.map((score, index) => scoreOutcomeOf(score, results[index], positionToken));
  }

  async #giftOnce(gifts: contestpb.GiftRequest[], deadlineAt: number): Promise<GiftOutcome[]> {
    const { caller, commands, positions } = this.#options;
    const { results, positionToken } = await caller.attempt(commands.giftBatch.bind(commands), { gifts }, deadlineAt);
    positions.add(positionToken);
    return gifts.map((gift, index) => giftOutcomeOf(gift, results[index], positionToken));
  }

  #command<Request extends { readonly requestId: string }, Response extends { readonly positionToken: string }>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    return callCommand(this.#options, method, request, options);
  }
}
