/** What is due in a partition when its turn comes: one step of firing, in the background lane. */
import type { Clock } from '@sluice/ports';
import type { Submission, SubmissionFailure } from '../capability';
import type { InternalCommand, InternalVerdict } from '../internal/internal-command';
import type { Turn } from '../partition/turn';
import type { ThrowingTimers } from './throwing-timers';
import { MAXIMUM_TIMER_BYTES } from './timer-records';
import { type FiringResult, RECORD_BYTES_PER_TIMER, type RecordBytesOf, type TimerRoom } from './timer-room';

/** Timers of one step, and what they may record together where the first one does not need more alone. */
export const STEP_TIMERS = 1_000;
const STEP_RECORD_BYTES = 2 << 20;

export type StepOutcome = { readonly kind: 'decided'; readonly result: FiringResult } | { readonly kind: 'failed'; readonly failure: SubmissionFailure };

export interface DueTimersSubmissionOptions {
  readonly room: TimerRoom;
  readonly clock: Clock;
  /** How many are due at least, as far as is known now. */
  readonly due: number;
  readonly throwing: ThrowingTimers;
  readonly recordBytesOf: RecordBytesOf;
  readonly decide: (turn: Turn, commands: readonly InternalCommand[]) => readonly InternalVerdict[];
  /** The step's commit is durable, or lost. */
  readonly ended: (outcome: StepOutcome) => void;
}

export class DueTimersSubmission implements Submission {
  readonly background = true;
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  private result: FiringResult | undefined;

  constructor(private readonly options: DueTimersSubmissionOptions) {
    const { due, throwing, room, recordBytesOf } = options;
    this.commandCount = Math.min(due, throwing.stepLimit);
    this.recordBytes = Math.max(
      Math.min(this.commandCount * 2 * RECORD_BYTES_PER_TIMER, STEP_RECORD_BYTES),
      RECORD_BYTES_PER_TIMER + MAXIMUM_TIMER_BYTES,
      room.firstRecordBytes(recordBytesOf),
    );
    this.sizeBytes = this.recordBytes;
  }

  decide(turn: Turn): void {
    const { room, clock, decide, throwing, recordBytesOf } = this.options;
    // The commit time stands still while the clock is behind it, and the clock may have gone on since the turn began.
    const untilUs = Math.min(clock.nowUs(), turn.committedAtUs);
    const step = { untilUs, maximumCommands: this.commandCount, maximumRecordBytes: this.recordBytes, throwing, recordBytesOf };
    this.result = room.fire(step, (commands) => decide(turn, commands));
  }

  settle(): void {
    this.options.ended({ kind: 'decided', result: this.result as FiringResult });
  }

  fail(failure: SubmissionFailure): void {
    this.options.ended({ kind: 'failed', failure });
  }
}
