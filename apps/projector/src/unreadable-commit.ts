/**
 * A commit that cannot be projected, because it is not what was written or because this version does not know what is in it. The
 * partition stops before it, says so, and looks again now and then: it may have been repaired.
 */
import { MissingCommitError } from '@sluice/ports';
import { CorruptCommitError, UnknownCommitFormatError, UnknownEventError } from '@sluice/protocol';

export interface BlockedPartition {
  readonly partition: number;
  /** The commit that cannot be read; the partition is projected up to the one before it. */
  readonly sequence: number;
  /** What is wrong with it, and what an operator can do. */
  readonly error: string;
}

export class UnreadableCommitError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
    cause: unknown,
  ) {
    const what = cause instanceof Error ? cause.message : String(cause);
    const place = `partition ${partition}, sequence ${sequence}`;
    super(`${what.startsWith(place) ? what : `${place}: ${what}`}; ${remedyOf(cause, partition, sequence)}`, { cause });
    this.name = 'UnreadableCommitError';
  }

  get blocked(): BlockedPartition {
    return { partition: this.partition, sequence: this.sequence, error: this.message };
  }
}

/** Undefined: the error is not about a commit that cannot be read. */
export function unreadableCommitOf(error: unknown): UnreadableCommitError | undefined {
  if (error instanceof UnreadableCommitError) return error;
  if (error instanceof CorruptCommitError || error instanceof MissingCommitError || error instanceof UnknownEventError)
    return new UnreadableCommitError(error.partition, error.sequence, error);
  return undefined;
}

function remedyOf(cause: unknown, partition: number, sequence: number): string {
  if (cause instanceof UnknownEventError || cause instanceof UnknownCommitFormatError) return 'start a version of the projector that knows it';
  return (
    'restore the log from a backup (then: sluice log restored), or stop every service and give up this commit and all later ones of the partition: ' +
    `sluice log repair --drop-from ${partition}:${sequence}`
  );
}
