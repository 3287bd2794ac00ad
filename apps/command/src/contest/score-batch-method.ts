/**
 * ScoreBatch. Scores of a partition that this instance serves stay columns from the request's bytes to the response's. Those of another one go
 * to its owner as the bytes in which they came.
 *
 *   bytes ──▶ columns ──▶ contests, hashes, digests ──▶ one submission per partition ──▶ verdict columns ──▶ bytes
 *                                                └──another's──▶ its owner ──────────────▶ results ────────────┘
 */
import { keyHash } from '@sluice/domain';
import { MAXIMUM_POINTS } from '@sluice/domain/contest';
import { aggregateKey, RequestIdHashes, type Partition } from '@sluice/engine';
import { DIGEST_BYTES, encodePositionToken, MAXIMUM_BATCH_ITEMS, MAXIMUM_ID_BYTES, RequestDigests } from '@sluice/protocol';
import {
  contestpb,
  readScoreBatch,
  scoreResultsIn,
  SCORE_ACCOUNT_ID_AT,
  SCORE_ACCOUNT_ID_END,
  SCORE_AT,
  SCORE_CONTEST_ID_AT,
  SCORE_CONTEST_ID_END,
  SCORE_END,
  SCORE_REQUEST_ID_AT,
  SCORE_REQUEST_ID_END,
  SCORE_STRIDE,
  ScoreResultsWriter,
  type ScoreBatch,
} from '@sluice/protocol/contest';
import { invalidRequest, nextRound, refusal, SluiceError, type CallContext } from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';
import type { CommandContext } from '../command-capability';
import { askOwner } from '../methods/bulk-command-method';
import { bytesMethod, type ServiceMethod } from '../methods/command-method';
import { readMessage, readRequest } from '../methods/partition-share';
import { notOwner } from '../peers/not-owner';
import { mergeSequences } from '../methods/reply-completion';
import { itemErrorOf, itemErrorOfRefusal, reasonOf } from '../methods/verdict-errors';
import { CONTEST } from './contest-aggregate';
import { scoreMessage } from './contest-messages';
import { SCORE_ACCEPTED, ScoreColumns, type ScoreRefusal } from './score-columns';
import { recordBytesOf, ScoreSubmission } from './score-submission';

const { scoreBatch: definition } = contestpb.ContestCommandServiceService;
const MESSAGE_NAME = 'sluice.contest.v1.ScoreRequest';
/** Scores that are routed in one round of the event loop. */
const SCORES_PER_ROUND = 1_024;
/** A submission is taken whole: of many scores several are made. */
const SUBMISSION_BYTES = 8 << 20;

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = SCORE_STRIDE;
const digestBytes = DIGEST_BYTES;

export function scoreBatchMethod(context: CommandContext): ServiceMethod {
  const scores = new ScoreBatchCommand(context);
  return bytesMethod(definition, (bytes, call) => scores.run(bytes, call));
}

interface Answers {
  /** By partition: the sequence on which the answers depend. */
  readonly positions: Map<number, number>;
  /** Results of other owners, encoded. */
  readonly elsewhere: Map<number, Uint8Array>;
}

class ScoreBatchCommand {
  private readonly hashes: RequestIdHashes;
  private readonly digests = new RequestDigests(MESSAGE_NAME);

  constructor(private readonly context: CommandContext) {
    this.hashes = new RequestIdHashes(context.seeds, CONTEST);
  }

  async run(bytes: Buffer, call: CallContext): Promise<Buffer> {
    const batch = readMessage(readScoreBatch, bytes);
    if (batch.count === 0) throw invalidRequest('scores', 'is empty');
    if (batch.count > MAXIMUM_BATCH_ITEMS) throw refusal('BATCH_TOO_LARGE', `scores has more than ${MAXIMUM_BATCH_ITEMS} items; send smaller batches`);
    const scores = new ScoreColumns(batch);
    await this.route(scores);
    const answers: Answers = { positions: new Map(), elsewhere: new Map() };
    await Promise.all([...sharesOf(scores)].map(([partition, share]) => this.answer(scores, partition, share, answers, call)));
    return this.response(scores, answers);
  }

  /** Finds out where each score belongs, and by what it is recognised. */
  private async route(scores: ScoreColumns): Promise<void> {
    const { batch } = scores;
    const { fields, bytes } = batch;
    const places = new Map<string, number>();
    let place = -1;
    let before = 0;
    for (let index = 0; index < batch.count; index += 1) {
      if (index % SCORES_PER_ROUND === SCORES_PER_ROUND - 1) await nextRound();
      if (!isWellShaped(batch, index)) {
        this.refuseShape(scores, index);
        continue;
      }
      if (place === -1 || !hasSameContest(batch, before, index)) place = this.placeOf(scores, places, index);
      before = index;
      scores.contestOf[index] = place;
      const base = index * stride;
      const { hash } = scores.contest(index).key;
      this.hashes.write(hash, bytes, fields[base + SCORE_REQUEST_ID_AT] as number, fields[base + SCORE_REQUEST_ID_END] as number, scores.hashes, index * 2);
      this.digests.write(bytes, fields[base + SCORE_AT] as number, fields[base + SCORE_END] as number, scores.digests, index * digestBytes);
    }
  }

  private placeOf({ batch, contests }: ScoreColumns, places: Map<string, number>, index: number): number {
    const { fields } = batch;
    const base = index * stride;
    const contestId = batch.text(fields[base + SCORE_CONTEST_ID_AT] as number, fields[base + SCORE_CONTEST_ID_END] as number);
    let place = places.get(contestId);
    if (place === undefined) {
      const { engine, seeds } = this.context;
      const key = aggregateKey(seeds, contestId);
      place = contests.push({ key, partition: engine.partitionOfHash(keyHash(key.bytes, 0, key.bytes.length)) }) - 1;
      places.set(contestId, place);
    }
    return place;
  }

  /** What is wrong with it says the check that single scores go through. */
  private refuseShape(scores: ScoreColumns, index: number): void {
    try {
      readRequest(() => scoreMessage.bodyOf(contestpb.ScoreRequest.decode(scores.batch.body(index))));
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason !== 'INVALID_REQUEST') throw error;
      scores.errors.set(index, itemErrorOfRefusal({ reason: error.reason, message: `scores[${index}].${error.message}` }));
      return;
    }
    throw new Error('a score is well shaped by one check and not by the other');
  }

  private async answer(scores: ScoreColumns, partition: number, share: readonly number[], answers: Answers, call: CallContext): Promise<void> {
    const owned = this.context.engine.partition(partition);
    const isHere = owned?.state === 'serving' && (await this.decideHere(scores, owned, share, answers, call));
    if (!isHere) await this.answerElsewhere(scores, partition, share, answers, call);
  }

  /** False: the partition went to another instance meanwhile, which answers what was recorded and decides the rest. */
  private async decideHere(scores: ScoreColumns, owned: Partition, share: readonly number[], { positions }: Answers, call: CallContext): Promise<boolean> {
    const { engine, hop } = this.context;
    const parts = partsThatFit(scores, share, Math.min(SUBMISSION_BYTES, engine.commitRoomBytes));
    const sequence = Math.max(...(await Promise.all(parts.map((part) => submitted(owned, scores, part, call)))));
    if (sequence > 0) mergeSequences(positions, new Map([[owned.partition, sequence]]));
    return hop === undefined || !share.some((index) => isNotOwner(scores.refusals.get(index)));
  }

  private async answerElsewhere(scores: ScoreColumns, partition: number, share: readonly number[], answers: Answers, call: CallContext): Promise<void> {
    const { context } = this;
    if (context.hop === undefined) {
      for (const index of share) scores.refuse(index, { kind: 'refused', refusal: 'NOT_OWNER' });
      return;
    }
    if (call.forwarded) throw notOwner(partition);
    const asked = { context, path: definition.path, partition, call };
    const answered = await askOwner(asked, scores.batch.part(share), share.length, scoreResultsIn);
    if ('refused' in answered) {
      for (const index of share) scores.errors.set(index, answered.refused);
      return;
    }
    for (const [at, index] of share.entries()) answers.elsewhere.set(index, answered.results[at] as Uint8Array);
    mergeSequences(answers.positions, answered.positions);
  }

  private response(scores: ScoreColumns, { positions, elsewhere }: Answers): Buffer {
    const { outcomes, rounds, roundPoints, totalPoints, sideRoundPoints, repeated, refusals, errors } = scores;
    const writer = new ScoreResultsWriter(scores.count);
    for (let index = 0; index < scores.count; index += 1) {
      const other = elsewhere.get(index);
      const error = errors.get(index);
      if (other !== undefined) writer.encoded(other);
      else if (error !== undefined) writer.refused(error);
      else if (outcomes[index] === SCORE_ACCEPTED) {
        writer.accepted(
          rounds[index] as number,
          roundPoints[index] as number,
          totalPoints[index] as number,
          sideRoundPoints[index] as number,
          repeated[index] === 1,
        );
      } else writer.refused(this.errorOf(refusals.get(index)));
    }
    return writer.finish(positions.size === 0 ? '' : encodePositionToken({ incarnation: this.context.incarnation, sequences: positions }));
  }

  private errorOf(refused: ScoreRefusal | undefined): contestpb.ScoreError {
    if (refused === undefined) throw new Error('ScoreBatch left a score without a result');
    this.context.observer.rejected(reasonOf(refused), 1);
    return itemErrorOf(refused);
  }
}

/** Whether ids and numbers are in their ranges. */
function isWellShaped({ fields, points, scoredAtUs }: ScoreBatch, index: number): boolean {
  const base = index * stride;
  const asked = points[index] as number;
  return (
    isId((fields[base + SCORE_REQUEST_ID_END] as number) - (fields[base + SCORE_REQUEST_ID_AT] as number)) &&
    isId((fields[base + SCORE_CONTEST_ID_END] as number) - (fields[base + SCORE_CONTEST_ID_AT] as number)) &&
    isId((fields[base + SCORE_ACCOUNT_ID_END] as number) - (fields[base + SCORE_ACCOUNT_ID_AT] as number)) &&
    asked >= 1 &&
    asked <= MAXIMUM_POINTS &&
    (scoredAtUs[index] as number) <= Number.MAX_SAFE_INTEGER
  );
}

function isId(bytes: number): boolean {
  return bytes >= 1 && bytes <= MAXIMUM_ID_BYTES;
}

function hasSameContest({ bytes, fields }: ScoreBatch, first: number, second: number): boolean {
  const [firstAt, firstEnd] = [fields[first * stride + SCORE_CONTEST_ID_AT] as number, fields[first * stride + SCORE_CONTEST_ID_END] as number];
  const [secondAt, secondEnd] = [fields[second * stride + SCORE_CONTEST_ID_AT] as number, fields[second * stride + SCORE_CONTEST_ID_END] as number];
  if (firstEnd - firstAt !== secondEnd - secondAt) return false;
  for (let at = 0; at < firstEnd - firstAt; at += 1) if (bytes[firstAt + at] !== bytes[secondAt + at]) return false;
  return true;
}

/** Positions of the scores of each partition. */
function sharesOf(scores: ScoreColumns): Map<number, number[]> {
  const shares = new Map<number, number[]>();
  for (let index = 0; index < scores.count; index += 1) {
    if (scores.contestOf[index] === -1) continue;
    const { partition } = scores.contest(index);
    const share = shares.get(partition);
    if (share === undefined) shares.set(partition, [index]);
    else share.push(index);
  }
  return shares;
}

/** Cuts a share into runs that record at most so many bytes. */
function partsThatFit(scores: ScoreColumns, share: readonly number[], bytes: number): number[][] {
  const parts: number[][] = [];
  let left = 0;
  for (const index of share) {
    const recordBytes = recordBytesOf(scores, index);
    if (parts.length === 0 || recordBytes > left) {
      parts.push([]);
      left = bytes;
    }
    left -= recordBytes;
    (parts.at(-1) as number[]).push(index);
  }
  return parts;
}

/** Resolves with the sequence on which the answers depend; 0: none. */
function submitted(owned: Partition, scores: ScoreColumns, indexes: readonly number[], call: CallContext): Promise<number> {
  return new Promise((resolve) => {
    const submission: ScoreSubmission = new ScoreSubmission(owned, scores, indexes, () => resolve(submission.sequence), activeTraceparent());
    submission.submit(call);
  });
}

function isNotOwner(refused: ScoreRefusal | undefined): boolean {
  return refused?.kind === 'refused' && refused.refusal === 'NOT_OWNER';
}
