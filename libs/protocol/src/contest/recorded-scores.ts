/**
 * ScoresRecorded, read by hand: the sums of a round want four numbers of each of a million scores, and the rows of the read store what stands after each,
 * with its bytes as they are.
 */
import { ByteReader } from '../wire/byte-reader';

const CONTEST_ID_TAG = 0x0a;
const ROUND_TAG = 0x10;
const SCORES_TAG = 0x1a;
const MEMBER_TAG = 0x18;
const SIDE_TAG = 0x20;
const POINTS_TAG = 0x28;
const SCORED_AT_TAG = 0x30;
const REQUEST_ID_TAG = 0x0a;
const ROUND_POINTS_TAG = 0x38;
const TOTAL_POINTS_TAG = 0x40;
const SIDE_ROUND_POINTS_TAG = 0x48;
const SUBMITTED_TAG = 0x68;

/** What stands after a score, and where its bytes are in the payload. One object serves all scores. */
export interface ScoreOutcome {
  member: number;
  side: number;
  roundPoints: number;
  totalPoints: number;
  sideRoundPoints: number;
  /** Of a score that was submitted; empty: it was not. */
  submittedId: string;
  /** With its tag: scores of a payload stand one behind the other. */
  startAt: number;
  endAt: number;
}

/** Of an encoded ScoresRecorded. Fields stand in the order of their numbers. */
export class RecordedScores {
  readonly contestId: string;
  readonly round: number;
  /** Where the scores begin. */
  private readonly scoresAt: number;

  constructor(readonly payload: Uint8Array) {
    const reader = new ByteReader(payload, 0, payload.length);
    let contestId = '';
    let round = 0;
    let at = 0;
    while (!reader.done) {
      at = reader.at;
      const tag = reader.varint();
      if (tag === SCORES_TAG) break;
      if (tag === CONTEST_ID_TAG) contestId = reader.string();
      else if (tag === ROUND_TAG) round = reader.varint();
      else reader.skip(tag & 7);
      at = reader.at;
    }
    this.contestId = contestId;
    this.round = round;
    this.scoresAt = at;
  }

  /** Calls back for each score, in their order. @param visit takes numbers of member and side, points, and when it was scored in microseconds. */
  forEach(visit: (member: number, side: number, points: number, scoredAtUs: number) => void): void {
    this.read((score) => visitScore(score, visit));
  }

  /** Calls back for each score, in their order, with the same object. */
  forEachOutcome(visit: (outcome: ScoreOutcome) => void): void {
    const outcome = { member: 0, side: 0, roundPoints: 0, totalPoints: 0, sideRoundPoints: 0, submittedId: '', startAt: 0, endAt: 0 };
    this.read((score, startAt) => {
      readOutcome(score, outcome);
      outcome.startAt = startAt;
      outcome.endAt = score.end;
      visit(outcome);
    });
  }

  private read(visit: (score: ByteReader, startAt: number) => void): void {
    const score = new ByteReader(this.payload, 0, 0);
    const scores = new ByteReader(this.payload, this.scoresAt, this.payload.length);
    while (!scores.done) {
      const startAt = scores.at;
      const tag = scores.varint();
      if (tag !== SCORES_TAG) {
        scores.skip(tag & 7);
        continue;
      }
      const length = scores.length();
      score.at = scores.at;
      score.end = scores.at + length;
      scores.at = score.end;
      visit(score, startAt);
    }
  }
}

function readOutcome(score: ByteReader, outcome: ScoreOutcome): void {
  const startAt = score.at;
  let submitted = false;
  outcome.member = 0;
  outcome.side = 0;
  outcome.roundPoints = 0;
  outcome.totalPoints = 0;
  outcome.sideRoundPoints = 0;
  while (!score.done) {
    const tag = score.varint();
    if (tag === MEMBER_TAG) outcome.member = score.varint();
    else if (tag === SIDE_TAG) outcome.side = score.varint();
    else if (tag === ROUND_POINTS_TAG) outcome.roundPoints = score.varint();
    else if (tag === TOTAL_POINTS_TAG) outcome.totalPoints = score.varint();
    else if (tag === SIDE_ROUND_POINTS_TAG) outcome.sideRoundPoints = score.varint();
    else if (tag === SUBMITTED_TAG) submitted = score.varint() !== 0;
    else score.skip(tag & 7);
  }
  outcome.submittedId = submitted ? requestIdOf(score, startAt) : '';
}

function requestIdOf(score: ByteReader, startAt: number): string {
  score.at = startAt;
  let requestId = '';
  while (!score.done) {
    const tag = score.varint();
    if (tag === REQUEST_ID_TAG) requestId = score.string();
    else score.skip(tag & 7);
  }
  return requestId;
}

function visitScore(score: ByteReader, visit: (member: number, side: number, points: number, scoredAtUs: number) => void): void {
  let member = 0;
  let side = 0;
  let points = 0;
  let scoredAtUs = 0;
  while (!score.done) {
    const tag = score.varint();
    if (tag === MEMBER_TAG) member = score.varint();
    else if (tag === SIDE_TAG) side = score.varint();
    else if (tag === POINTS_TAG) points = score.varint();
    else if (tag === SCORED_AT_TAG) scoredAtUs = score.varint();
    else score.skip(tag & 7);
  }
  visit(member, side, points, scoredAtUs);
}
