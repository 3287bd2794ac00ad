/** When a failed attempt is tried again. */

export interface RetryPolicy {
  /** Attempts that may fail. */
  readonly maximumAttempts: number;
  readonly firstPauseMs: number;
  /** By how many percent a pause is longer than the one before. */
  readonly growthPercent: number;
  readonly maximumPauseMs: number;
  /** A pause is shortened by up to so many percent. */
  readonly jitterPercent: number;
  /** Whether an attempt that its start-to-finish limit ended is tried again, too. */
  readonly retryTimeLimit: boolean;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maximumAttempts: 3,
  firstPauseMs: 1_000,
  growthPercent: 100,
  maximumPauseMs: 600_000,
  jitterPercent: 0,
  retryTimeLimit: false,
};

/**
 * The pause after a failure, in milliseconds. Jitter is drawn from the task's number and the count, so that it is the same for every
 * instance that decides it, and different for tasks that failed together.
 *
 * @param failures attempts of the task that have failed, this one included.
 */
export function pauseAfterFailureMs(policy: RetryPolicy, number: number, failures: number): number {
  const { firstPauseMs, growthPercent, maximumPauseMs, jitterPercent } = policy;
  const grown = Math.min(maximumPauseMs, firstPauseMs * (1 + growthPercent / 100) ** (failures - 1));
  return Math.round(grown * (1 - (jitterPercent / 100) * drawn(number, failures)));
}

/** 0 to just below 1, by the finalizer of MurmurHash3. */
function drawn(number: number, failures: number): number {
  let hash = Math.imul(number | 0, 0x9e3779b1) ^ Math.imul(failures, 0x85ebca6b) ^ Math.floor(number / 2 ** 32);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
