/** Everything that can be done with contests. */
import { randomUUID } from 'node:crypto';
import type { contestpb } from '@sluice/protocol/contest';
import type { BatchingOptions } from '../batching-options';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { sendItems } from '../item-batch';
import { ItemBatcher } from '../item-batcher';
import { requestKey, streamItems } from '../item-stream';
import type { ItemStreamOptions } from '../item-stream-options';
import type { PositionTracker } from '../position-tracker';
import { SluiceError, toSluiceError } from '../sluice-error';
import type { ContestCreated, ContestInput, ContestStarted, MembersJoined, RoundEnded, ScoreInput, ScoreOutcome, ScoreResult } from './contest';
import { contestToWire, scoreOutcomeOf, scoreSizeBytes, scoreToWire, timeOfUs } from './contest-wire';

/** Most that one call takes. */
const MAXIMUM_BATCH_ITEMS = 10_000;

/** @internal */
export interface ContestsClientOptions {
  readonly caller: Caller;
  readonly commands: contestpb.ContestCommandServiceClient;
  readonly positions: PositionTracker;
  readonly batching: BatchingOptions | undefined;
}

export class ContestsClient {
  readonly #options: ContestsClientOptions;
  readonly #batcher: ItemBatcher<contestpb.ScoreRequest, ScoreResult>;

  /** @internal Made by SluiceClient. */
  constructor(options: ContestsClientOptions) {
    this.#options = options;
    const batches = {
      plural: 'scores',
      requestIdOf: (score: contestpb.ScoreRequest) => score.requestId,
      sizeBytes: scoreSizeBytes,
      send: (scores: readonly contestpb.ScoreRequest[], deadlineAt: number) => this.#scoreOnce([...scores], deadlineAt),
    };
    this.#batcher = new ItemBatcher<contestpb.ScoreRequest, ScoreResult>(options.caller, batches, options.batching);
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

  /** Starts the first round. */
  async start(contestId: string, requestId: string = randomUUID()): Promise<ContestStarted> {
    const { commands } = this.#options;
    const { roundEndsAtUs, repeated, positionToken } = await this.#command(commands.startContest.bind(commands), { requestId, contestId });
    return { roundEndsAt: timeOfUs(roundEndsAtUs), repeated, positionToken };
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
  score(input: ScoreInput, options?: CallOptions): Promise<ScoreResult> {
    return this.#batcher.add(scoreToWire(input), this.#options.caller.deadlineAt(options));
  }

  /** Up to 10,000 scores in one call; each has its own outcome, in order. Refusals do not throw. */
  async scoreBatch(inputs: readonly ScoreInput[], options: CallOptions = {}): Promise<ScoreOutcome[]> {
    if (inputs.length > MAXIMUM_BATCH_ITEMS) {
      const message = `a batch has at most ${MAXIMUM_BATCH_ITEMS} scores, not ${inputs.length}`;
      throw new SluiceError({ code: 'INVALID_ARGUMENT', reason: 'BATCH_TOO_LARGE', message });
    }
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

  async #scoreOnce(scores: contestpb.ScoreRequest[], deadlineAt: number): Promise<ScoreOutcome[]> {
    const { caller, commands, positions } = this.#options;
    const { results, positionToken } = await caller.attempt(commands.scoreBatch.bind(commands), { scores }, deadlineAt);
    positions.add(positionToken);
    return scores.map((score, index) => scoreOutcomeOf(score, results[index], positionToken));
  }

  async #command<Request extends { readonly requestId: string }, Response extends { readonly positionToken: string }>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    try {
      const response = await this.#options.caller.unary(method, request, options);
      this.#options.positions.add(response.positionToken);
      return response;
    } catch (error) {
      throw toSluiceError(error).about(request.requestId);
    }
  }
}
