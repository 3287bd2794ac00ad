/** Writes and takes apart a ScoreBatchResponse, and writes the reply that is recorded of a score, by hand. The generated codec is the oracle (property test). */
import type { ScoreError } from '../generated/sluice/contest/v1/command_service';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';

const RESULTS_TAG = 0x0a;
const POSITION_TOKEN_TAG = 0x12;
const TAG = { ROUND: 0x08, ROUND_POINTS: 0x10, TOTAL_POINTS: 0x18, SIDE_ROUND_POINTS: 0x20, REPEATED: 0x28, ERROR: 0x32 } as const;
const ERROR = { CODE: 0x08, REASON: 0x12, MESSAGE: 0x1a } as const;
const TYPICAL_RESULT_BYTES = 24;

/** Writes the fields that ScoreResponse and ScoreResult have in common. */
export function writeScoreReply(writer: ByteWriter, round: number, roundPoints: number, totalPoints: number, sideRoundPoints: number): void {
  writer.numberField(TAG.ROUND, round);
  writer.numberField(TAG.ROUND_POINTS, roundPoints);
  writer.numberField(TAG.TOTAL_POINTS, totalPoints);
  writer.numberField(TAG.SIDE_ROUND_POINTS, sideRoundPoints);
}

export class ScoreResultsWriter {
  private readonly writer: ByteWriter;

  /** @param results about as many as there will be. */
  constructor(results: number) {
    this.writer = new ByteWriter(64 + TYPICAL_RESULT_BYTES * results);
  }

  accepted(round: number, roundPoints: number, totalPoints: number, sideRoundPoints: number, repeated: boolean): void {
    const { writer } = this;
    const result = writer.openShort(RESULTS_TAG);
    writeScoreReply(writer, round, roundPoints, totalPoints, sideRoundPoints);
    if (repeated) writer.numberField(TAG.REPEATED, 1);
    writer.closeShort(result);
  }

  refused({ code, reason, message }: ScoreError): void {
    const { writer } = this;
    const result = writer.openShort(RESULTS_TAG);
    const error = writer.openShort(TAG.ERROR);
    writer.numberField(ERROR.CODE, code);
    writer.stringField(ERROR.REASON, reason);
    writer.stringField(ERROR.MESSAGE, message);
    writer.closeShort(error);
    writer.closeShort(result);
  }

  /** @param result an encoded ScoreResult. */
  encoded(result: Uint8Array): void {
    this.writer.bytesField(RESULTS_TAG, result);
  }

  /** The encoded response. */
  finish(positionToken: string): Buffer {
    const { writer } = this;
    writer.stringField(POSITION_TOKEN_TAG, positionToken);
    return writer.bytes.subarray(0, writer.at);
  }
}

/** Encoded results of a ScoreBatchResponse, with its token. */
export function scoreResultsIn(response: Buffer): { readonly results: readonly Uint8Array[]; readonly positionToken: string } {
  const reader = new ByteReader(response, 0, response.length);
  const results: Uint8Array[] = [];
  let positionToken = '';
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === RESULTS_TAG) results.push(reader.view());
    else if (tag === POSITION_TOKEN_TAG) positionToken = reader.string();
    else reader.skip(tag & 7);
  }
  return { results, positionToken };
}
