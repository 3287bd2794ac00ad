/**
 * When to try again, how long to wait before it, and when to stop.
 *
 * Every command carries a request id, so a repeat is harmless and an UNAVAILABLE may always be tried again. Waiting doubles
 * and is spread at random, so that many clients do not come back in step. The budget is a token bucket: it keeps a client
 * whose server is overloaded from multiplying the load; the price is that calls fail at once while it is empty.
 */
import type { SluiceError } from './sluice-error';

export interface RetryOptions {
  /** Wait before the first repeat, in milliseconds. Default 20. */
  readonly baseDelayMs?: number;
  /** Longest wait between two attempts, in milliseconds. Default 1,000. */
  readonly maximumDelayMs?: number;
  /** Repeats that may be made at once when all went well before; 0 switches retries off. Default 100. */
  readonly budget?: number;
  /** Tokens that a successful call puts back. Default 0.1. */
  readonly budgetPerSuccess?: number;
  /** Tokens that a second puts back. Default 5. */
  readonly budgetPerSecond?: number;
}

export interface RetryPolicy {
  /** Takes a token; false: no repeat now. */
  mayRepeat(): boolean;
  succeeded(): void;
  /** Milliseconds to wait before the repeat of this number: 1, 2, 3 …; never less than the server asked for. */
  delayMs(repeat: number, failure: SluiceError): number;
}

export function retryPolicy(options: RetryOptions = {}, nowMs: () => number = () => performance.now(), random: () => number = Math.random): RetryPolicy {
  const { baseDelayMs = 20, maximumDelayMs = 1_000, budget = 100, budgetPerSuccess = 0.1, budgetPerSecond = 5 } = options;
  let tokens = budget;
  let refilledAtMs = nowMs();
  return {
    mayRepeat() {
      const now = nowMs();
      tokens = Math.min(budget, tokens + ((now - refilledAtMs) / 1_000) * budgetPerSecond);
      refilledAtMs = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    succeeded() {
      tokens = Math.min(budget, tokens + budgetPerSuccess);
    },
    delayMs(repeat, failure) {
      const ceiling = Math.min(maximumDelayMs, baseDelayMs * 2 ** (repeat - 1));
      return Math.max(ceiling * (0.5 + 0.5 * random()), askedForMs(failure));
    },
  };
}

/** A caller above its rate is told when to come again. */
function askedForMs(failure: SluiceError): number {
  const milliseconds = Number(failure.metadata['retry_after_ms'] ?? 0);
  return Number.isFinite(milliseconds) ? milliseconds : 0;
}

/** Nothing was done, or a repeat finds the first answer: trying again is safe and may help. */
export function isRetryable(error: SluiceError): boolean {
  switch (error.code) {
    case 'UNAVAILABLE':
      return true;
    case 'RESOURCE_EXHAUSTED':
      // A full queue empties; a message that is too large stays too large, and grpc-js says so without a reason.
      return error.reason !== '' && !error.reason.includes('TOO_LARGE');
    default:
      return false;
  }
}

export function sleepMs(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
