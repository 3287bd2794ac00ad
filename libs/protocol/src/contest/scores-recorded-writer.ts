/** ScoresRecorded, written by hand, score by score. The generated codec is the oracle (property test). */
import { ByteWriter } from '../wire/byte-writer';

const CONTEST_ID_TAG = 0x0a;
const ROUND_TAG = 0x10;
const SCORES_TAG = 0x1a;
const TAG = {
  REQUEST_ID: 0x0a,
  ACCOUNT_ID: 0x12,
  MEMBER: 0x18,
  SIDE: 0x20,
  POINTS: 0x28,
  SCORED_AT: 0x30,
  ROUND_POINTS: 0x38,
  TOTAL_POINTS: 0x40,
  SIDE_ROUND_POINTS: 0x48,
  GIVER_ACCOUNT_ID: 0x52,
  AMOUNT: 0x58,
  UNIT: 0x62,
  SUBMITTED: 0x68,
} as const;
const INITIAL_BYTES = 512;
const ID_FIELD_BYTES = 8;

/** A score, with what stands after it. Points and times are whole numbers from 0 to 2^53 - 1. */
interface ScoreToRecord {
  readonly requestId: string;
  readonly accountId: string;
  readonly member: number;
  readonly side: number;
  readonly points: number;
  readonly scoredAtUs: number;
  readonly roundPoints: number;
  readonly totalPoints: number;
  readonly sideRoundPoints: number;
  readonly gift?: { readonly giverAccountId: string; readonly amountMinor: bigint; readonly unit: string } | undefined;
  readonly submitted?: boolean | undefined;
}

export class ScoresRecordedWriter {
  private readonly writer = new ByteWriter(INITIAL_BYTES);

  constructor(
    contestId: string,
    readonly round: number,
  ) {
    this.writer.stringField(CONTEST_ID_TAG, contestId);
    this.writer.numberField(ROUND_TAG, round);
  }

  add(score: ScoreToRecord): void {
    const { writer } = this;
    const start = writer.openShort(SCORES_TAG);
    writer.stringField(TAG.REQUEST_ID, score.requestId);
    writer.stringField(TAG.ACCOUNT_ID, score.accountId);
    this.numbers(score.member, score.side, score.points, score.scoredAtUs, score.roundPoints, score.totalPoints, score.sideRoundPoints);
    const { gift } = score;
    if (gift !== undefined) {
      writer.stringField(TAG.GIVER_ACCOUNT_ID, gift.giverAccountId);
      if (gift.amountMinor !== 0n) {
        writer.reserve(12);
        writer.byte(TAG.AMOUNT);
        writer.varint64(Number(gift.amountMinor & 0xffff_ffffn), Number((gift.amountMinor >> 32n) & 0xffff_ffffn));
      }
      writer.stringField(TAG.UNIT, gift.unit);
    }
    if (score.submitted === true) writer.numberField(TAG.SUBMITTED, 1);
    writer.closeShort(start);
  }

  /** The same for a score whose ids, which are not empty, lie in bytes. */
  addBytes(
    ids: Uint8Array,
    requestIdAt: number,
    requestIdEnd: number,
    accountIdAt: number,
    accountIdEnd: number,
    member: number,
    side: number,
    points: number,
    scoredAtUs: number,
    roundPoints: number,
    totalPoints: number,
    sideRoundPoints: number,
  ): void {
    const { writer } = this;
    const start = writer.openShort(SCORES_TAG);
    this.id(TAG.REQUEST_ID, ids, requestIdAt, requestIdEnd);
    this.id(TAG.ACCOUNT_ID, ids, accountIdAt, accountIdEnd);
    this.numbers(member, side, points, scoredAtUs, roundPoints, totalPoints, sideRoundPoints);
    writer.closeShort(start);
  }

  /** The encoded event. */
  finish(): Buffer {
    const { writer } = this;
    return writer.bytes.subarray(0, writer.at);
  }

  private id(tag: number, ids: Uint8Array, at: number, end: number): void {
    const { writer } = this;
    writer.reserve(ID_FIELD_BYTES);
    writer.byte(tag);
    writer.varint(end - at);
    writer.raw(ids, at, end);
  }

  private numbers(member: number, side: number, points: number, scoredAtUs: number, roundPoints: number, totalPoints: number, sideRoundPoints: number): void {
    const { writer } = this;
    writer.numberField(TAG.MEMBER, member);
    writer.numberField(TAG.SIDE, side);
    writer.numberField(TAG.POINTS, points);
    writer.numberField(TAG.SCORED_AT, scoredAtUs);
    writer.numberField(TAG.ROUND_POINTS, roundPoints);
    writer.numberField(TAG.TOTAL_POINTS, totalPoints);
    writer.numberField(TAG.SIDE_ROUND_POINTS, sideRoundPoints);
  }
}
