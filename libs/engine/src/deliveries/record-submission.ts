/** Records something about deliveries in a turn of their source, like a dead letter. */
import type { Submission, SubmissionFailure } from '../capability';
import type { Turn } from '../partition/turn';

const RECORD_BYTES = 4 << 10;

export class RecordSubmission<Result> implements Submission {
  readonly background = true;
  readonly commandCount = 1;
  readonly sizeBytes = RECORD_BYTES;
  readonly recordBytes: number;
  private result: Result | undefined;

  constructor(
    private readonly record: (turn: Turn) => Result,
    /** What was recorded is durable. */
    private readonly durable: (result: Result) => void,
    private readonly failed: (failure: SubmissionFailure) => void = () => undefined,
    recordBytes = RECORD_BYTES,
  ) {
    this.recordBytes = recordBytes;
  }

  decide(turn: Turn): void {
    this.result = this.record(turn);
  }

  settle(): void {
    this.durable(this.result as Result);
  }

  fail(failure: SubmissionFailure): void {
    this.failed(failure);
  }
}
