/** ScoresRecorded, read by hand: the sums of a round want four numbers of each of a million scores. */
import { ByteReader } from '../wire/byte-reader';

const CONTEST_ID_TAG = 0x0a;
const ROUND_TAG = 0x10;
const SCORES_TAG = 0x1a;
const MEMBER_TAG = 0x18;
const SIDE_TAG = 0x20;
const POINTS_TAG = 0x28;
const SCORED_AT_TAG = 0x30;

/** Of an encoded ScoresRecorded. Fields stand in the order of their numbers. */
export class RecordedScores {
  readonly contestId: string;
  readonly round: number;
  /** Where the scores begin. */
  private readonly scoresAt: number;

  constructor(private readonly payload: Uint8Array) {
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
    const score = new ByteReader(this.payload, 0, 0);
    const scores = new ByteReader(this.payload, this.scoresAt, this.payload.length);
    while (!scores.done) {
      const tag = scores.varint();
      if (tag !== SCORES_TAG) {
        scores.skip(tag & 7);
        continue;
      }
      const length = scores.length();
      score.at = scores.at;
      score.end = scores.at + length;
      scores.at = score.end;
      visitScore(score, visit);
    }
  }
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
