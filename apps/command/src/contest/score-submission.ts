/** Scores of one call for the contests of one partition, on their way through a turn: they are decided, recorded and answered in columns. */
import { countScore, isRecorded, JudgedScore, judgeScore, type Contest } from '@sluice/domain/contest';
import {
  nameKey,
  recordedRequests,
  RequestSubmission,
  type AggregateInTurn,
  type AggregateState,
  type GatheredAggregate,
  type OpenEvent,
  type Partition,
  type RequestRefusal,
  type Turn,
} from '@sluice/engine';
import { ByteWriter, DIGEST_BYTES, logpb, type EventRecord } from '@sluice/protocol';
import {
  contestpb,
  SCORE_ACCOUNT_ID_AT,
  SCORE_ACCOUNT_ID_END,
  SCORE_AT,
  SCORE_END,
  SCORE_REQUEST_ID_AT,
  SCORE_REQUEST_ID_END,
  SCORE_STRIDE,
  ScoresRecordedWriter,
  writeScoreReply,
} from '@sluice/protocol/contest';
import { CONTEST } from './contest-aggregate';
import { scoresRecorded } from './contest-event-codec';
import { SCORE_OPEN, type ScoreColumns } from './score-columns';

// Local copies: an import from a library costs a getter at every use, and this is the hot path.
const stride = SCORE_STRIDE;
const scoreAt = SCORE_AT;
const scoreEnd = SCORE_END;
const requestIdAt = SCORE_REQUEST_ID_AT;
const requestIdEnd = SCORE_REQUEST_ID_END;
const accountIdAt = SCORE_ACCOUNT_ID_AT;
const accountIdEnd = SCORE_ACCOUNT_ID_END;
const digestBytes = DIGEST_BYTES;
const open = SCORE_OPEN;
const judge = judgeScore;
const count = countScore;
const { REQUEST_ORIGIN_CALLER: caller } = logpb.RequestOrigin;

/**
 * What a score takes of a commit at most, beside its bytes twice: its ids stand in the event and in the verdict. Tags, lengths and numbers there;
 * digest, reason or reply, tags and lengths here. A score that is alone has the names of both events, too.
 */
const RECORD_BYTES_PER_SCORE = 256;
const NO_REPLY = Buffer.alloc(0);

/** What a score takes of a commit at most. */
export function recordBytesOf({ batch: { fields } }: ScoreColumns, index: number): number {
  const base = index * stride;
  return 2 * ((fields[base + scoreEnd] as number) - (fields[base + scoreAt] as number)) + RECORD_BYTES_PER_SCORE;
}

/** ScoresRecorded while scores of a round are decided. */
class OpenScores implements OpenEvent {
  readonly writer: ScoresRecordedWriter;

  constructor(
    contestId: string,
    readonly round: number,
  ) {
    this.writer = new ScoresRecordedWriter(contestId, round);
  }

  record(): EventRecord {
    return scoresRecorded(this.writer);
  }
}

/** The event that takes scores of the round. */
function openScores(gathered: GatheredAggregate, contestId: string, round: number): OpenScores {
  const { openEvent } = gathered;
  if (openEvent instanceof OpenScores && openEvent.round === round) return openEvent;
  const scores = new OpenScores(contestId, round);
  gathered.begin(scores);
  return scores;
}

export class ScoreSubmission extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly prepared: Promise<void> | undefined;
  private readonly state: AggregateState;
  private readonly judged = new JudgedScore();
  private readonly reply = new ByteWriter(64);

  constructor(
    partition: Partition,
    private readonly scores: ScoreColumns,
    /** Positions of its scores. */
    private readonly indexes: readonly number[],
    done: () => void,
    traceparent?: string,
  ) {
    super(partition, done, traceparent);
    this.state = partition.stateOf(CONTEST.capability) as AggregateState;
    this.commandCount = indexes.length;
    const { fields } = scores.batch;
    let sizeBytes = 0;
    let recordBytes = 0;
    for (const index of indexes) {
      sizeBytes += (fields[index * stride + scoreEnd] as number) - (fields[index * stride + scoreAt] as number);
      recordBytes += recordBytesOf(scores, index);
    }
    this.sizeBytes = sizeBytes;
    this.recordBytes = recordBytes;
    this.prepared = this.prepare();
  }

  *aggregates(): Generator<number> {
    for (const index of this.indexes) yield this.scores.contest(index).key.hash;
  }

  itemAt(position: number): number {
    return this.indexes[position] as number;
  }

  protected isOpen(index: number): boolean {
    return this.scores.outcomes[index] === open;
  }

  protected firstHash(index: number): number {
    return this.scores.hashes[index * 2] as number;
  }

  protected secondHash(index: number): number {
    return this.scores.hashes[index * 2 + 1] as number;
  }

  protected decideItems(turn: Turn): void {
    const { scores, indexes } = this;
    const { hashes, outcomes, contestOf } = scores;
    const contests: (AggregateInTurn | undefined)[] = [];
    for (const index of indexes) {
      if (outcomes[index] !== open || this.setAside(index, hashes[index * 2] as number, hashes[index * 2 + 1] as number)) continue;
      const place = contestOf[index] as number;
      const contest = (contests[place] ??= this.state.inTurn(turn, CONTEST.aggregate, scores.contest(index).key));
      this.decideScore(turn, contest, index);
    }
  }

  private decideScore(turn: Turn, inTurn: AggregateInTurn, index: number): void {
    const { scores, judged } = this;
    const { batch } = scores;
    const { fields } = batch;
    const base = index * stride;
    const points = batch.points[index] as number;
    const scoredAtUs = batch.scoredAtUs[index] as number;
    const accountId = batch.text(fields[base + accountIdAt] as number, fields[base + accountIdEnd] as number);
    const rejection = judge(inTurn.state as Contest, accountId, points, scoredAtUs, turn.committedAtUs, judged);
    if (rejection !== undefined) {
      scores.refuse(index, { kind: 'rejected', reason: rejection, metadata: {} });
      if (isRecorded(rejection)) this.recordVerdict(turn, inTurn, index, rejection, NO_REPLY, 0);
      return;
    }
    const { member, side, roundPoints, totalPoints, sideRoundPoints } = judged;
    const gathered = inTurn.record();
    const contest = inTurn.state as Contest;
    const { round } = contest;
    openScores(gathered, contest.contestId, round).writer.addBytes(
      batch.bytes,
      fields[base + requestIdAt] as number,
      fields[base + requestIdEnd] as number,
      fields[base + accountIdAt] as number,
      fields[base + accountIdEnd] as number,
      member,
      side,
      points,
      scoredAtUs,
      roundPoints,
      totalPoints,
      sideRoundPoints,
    );
    count(contest, member, side, scoredAtUs, roundPoints, sideRoundPoints);
    scores.accept(index, round, roundPoints, totalPoints, sideRoundPoints);
    const { reply } = this;
    reply.reset();
    writeScoreReply(reply, round, roundPoints, totalPoints, sideRoundPoints);
    this.recordVerdict(turn, inTurn, index, '', reply.bytes, reply.at);
  }

  private recordVerdict(turn: Turn, inTurn: AggregateInTurn, index: number, reason: string, reply: Uint8Array, replyEnd: number): void {
    const { batch, digests, hashes } = this.scores;
    const base = index * stride;
    const idAt = batch.fields[base + requestIdAt] as number;
    const idEnd = batch.fields[base + requestIdEnd] as number;
    inTurn.record().decided.addBytes(batch.bytes, idAt, idEnd, caller, digests, index * digestBytes, reason, reply, replyEnd);
    this.state.remember(hashes[index * 2] as number, hashes[index * 2 + 1] as number, turn.sequence);
  }

  protected async answerFrom(index: number, sequence: number): Promise<boolean> {
    const { scores } = this;
    const name = nameKey({ ...CONTEST, key: scores.contest(index).key.text });
    const recorded = await this.state.commitSearch.find(recordedRequests, sequence, name, scores.batch.requestId(index));
    if (recorded === undefined) return false;
    const { verdict, bodyDigest } = recorded;
    if (Buffer.compare(bodyDigest, scores.digest(index)) !== 0) {
      scores.refuse(index, { kind: 'reused' });
      return true;
    }
    scores.repeated[index] = 1;
    if (verdict.kind !== 'accepted') {
      scores.refuse(index, verdict);
      return true;
    }
    const { round, roundPoints, totalPoints, sideRoundPoints } = contestpb.ScoreResponse.decode(verdict.reply);
    scores.accept(index, round, Number(roundPoints), Number(totalPoints), Number(sideRoundPoints));
    return true;
  }

  protected refuse(index: number, refusal: RequestRefusal, message?: string): void {
    this.scores.repeated[index] = 0;
    this.scores.refuse(index, { kind: 'refused', refusal, ...(message === undefined ? undefined : { message }) });
  }

  protected again(indexes: readonly number[], done: () => void): ScoreSubmission {
    return new ScoreSubmission(this.partition, this.scores, indexes, done, this.traceparent);
  }

  protected trouble(what: string, error: unknown): void {
    this.state.trouble(what, error);
  }
}
