/**
 * A log that cannot be read on: a commit was changed or is missing, an event is of a version that this program does not know, or its accounts
 * name signing keys that the keyring lacks. Trying again does not mend it.
 */
import { MissingCommitError, MissingKeysError } from '@sluice/ports';
import { CorruptCommitError, UnknownCommitFormatError } from '@sluice/protocol';

/** How long a partition whose log cannot be read waits before it is read again: an operator may have repaired it. */
export const UNREADABLE_RETRY_MS = 30_000;

/** An event that this version of Sluice cannot take in. */
export class UnreadableEventError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
    eventType: string,
    cause: unknown,
  ) {
    super(`partition ${partition}, sequence ${sequence}: ${eventType}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'UnreadableEventError';
  }
}

export type UnreadableLogError = CorruptCommitError | MissingCommitError | UnreadableEventError | MissingKeysError;

export function isUnreadableLog(error: unknown): error is UnreadableLogError {
  return (
    error instanceof CorruptCommitError || error instanceof MissingCommitError || error instanceof UnreadableEventError || error instanceof MissingKeysError
  );
}

/** What the operator can do about it. */
export function unreadableLogAdvice(error: UnreadableLogError): string {
  if (error instanceof MissingKeysError) return `it is tried again every ${UNREADABLE_RETRY_MS / 1_000} s`;
  if (error instanceof UnreadableEventError || error instanceof UnknownCommitFormatError)
    return 'start a version of Sluice that knows it; deploy readers before writers';
  return `restore the log from a backup, or give up this commit and all later ones of the partition: sluice log repair --drop-from ${error.partition}:${error.sequence}`;
}
