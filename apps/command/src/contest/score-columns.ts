/** The scores of one call in columns, from the request to its response: what was asked, where it belongs, and what became of it. */
import type { AggregateKey, RequestVerdict } from '@sluice/engine';
import { DIGEST_BYTES } from '@sluice/protocol';
import type { ScoreBatch } from '@sluice/protocol/contest';
import type { ItemError } from '../methods/verdict-errors';

/** What became of a score. */
export const SCORE_OPEN = 0;
export const SCORE_ACCEPTED = 1;
const SCORE_NOT_ACCEPTED = 2;

export type ScoreRefusal = Exclude<RequestVerdict, { readonly kind: 'accepted' }>;

/** A contest of which there are scores among them. */
interface ContestOfScores {
  readonly key: AggregateKey;
  readonly partition: number;
}

export class ScoreColumns {
  readonly contests: ContestOfScores[] = [];
  /** By score: which of the contests; -1: its shape is wrong. */
  readonly contestOf: Int32Array<ArrayBuffer>;
  /** Two numbers each. */
  readonly hashes: Int32Array<ArrayBuffer>;
  readonly digests: Buffer;
  readonly outcomes: Uint8Array<ArrayBuffer>;
  readonly repeated: Uint8Array<ArrayBuffer>;
  /** Of scores that were accepted. */
  readonly rounds: Int32Array<ArrayBuffer>;
  readonly roundPoints: Float64Array<ArrayBuffer>;
  readonly totalPoints: Float64Array<ArrayBuffer>;
  readonly sideRoundPoints: Float64Array<ArrayBuffer>;
  /** Of scores that were not accepted. */
  readonly refusals = new Map<number, ScoreRefusal>();
  /** Of those whose shape is wrong, and whose owner did not answer. */
  readonly errors = new Map<number, ItemError>();

  constructor(readonly batch: ScoreBatch) {
    const { count } = batch;
    this.contestOf = new Int32Array(count).fill(-1);
    this.hashes = new Int32Array(count * 2);
    this.digests = Buffer.allocUnsafe(count * DIGEST_BYTES);
    this.outcomes = new Uint8Array(count);
    this.repeated = new Uint8Array(count);
    this.rounds = new Int32Array(count);
    this.roundPoints = new Float64Array(count);
    this.totalPoints = new Float64Array(count);
    this.sideRoundPoints = new Float64Array(count);
  }

  get count(): number {
    return this.batch.count;
  }

  digest(index: number): Buffer {
    return this.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  contest(index: number): ContestOfScores {
    return this.contests[this.contestOf[index] as number] as ContestOfScores;
  }

  accept(index: number, round: number, roundPoints: number, totalPoints: number, sideRoundPoints: number): void {
    this.outcomes[index] = SCORE_ACCEPTED;
    this.rounds[index] = round;
    this.roundPoints[index] = roundPoints;
    this.totalPoints[index] = totalPoints;
    this.sideRoundPoints[index] = sideRoundPoints;
  }

  refuse(index: number, refusal: ScoreRefusal): void {
    this.outcomes[index] = SCORE_NOT_ACCEPTED;
    this.refusals.set(index, refusal);
  }
}
