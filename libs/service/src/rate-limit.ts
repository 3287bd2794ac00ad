/**
 * How often a caller may call: a token bucket each, refilled by the clock. Beyond a number of callers the one that was
 * away longest is forgotten and starts with a full bucket again: names cannot fill the memory, and only somebody with
 * that many identities gains by it.
 */
import type { Clock } from '@sluice/ports';
import { refusal } from './sluice-error';

export interface RateLimit {
  /** Calls per second in the long run; > 0. */
  readonly perSecond: number;
  /** Calls that may come at once after a pause; >= 1. */
  readonly burst: number;
}

const MAXIMUM_CALLERS = 10_000;
const US_PER_SECOND = 1_000_000;

interface Bucket {
  tokens: number;
  filledAtUs: number;
}

export class RateLimiter {
  /** In the order of use, longest unused first. */
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly limit: RateLimit,
    private readonly clock: Clock,
  ) {
    if (!(limit.perSecond > 0) || !(limit.burst >= 1)) throw new RangeError('a rate limit is above 0, its burst at least 1');
  }

  /** Takes one call from the caller's bucket; throws RATE_LIMITED with `retry_after_ms` when it is empty. */
  take(caller: string): void {
    const nowUs = this.clock.nowUs();
    const bucket = this.bucketOf(caller, nowUs);
    const { perSecond, burst } = this.limit;
    const passedUs = Math.max(0, nowUs - bucket.filledAtUs);
    bucket.tokens = Math.min(burst, bucket.tokens + (passedUs * perSecond) / US_PER_SECOND);
    bucket.filledAtUs = nowUs;
    if (bucket.tokens < 1) {
      const retryAfterMs = Math.ceil(((1 - bucket.tokens) * 1_000) / perSecond);
      throw refusal('RATE_LIMITED', `"${caller}" may make ${perSecond} calls per second; again in ${retryAfterMs} ms`, {
        retry_after_ms: String(retryAfterMs),
      });
    }
    bucket.tokens -= 1;
  }

  private bucketOf(caller: string, nowUs: number): Bucket {
    const bucket = this.buckets.get(caller) ?? { tokens: this.limit.burst, filledAtUs: nowUs };
    this.buckets.delete(caller);
    this.buckets.set(caller, bucket);
    if (this.buckets.size > MAXIMUM_CALLERS) this.forgetLongestUnused();
    return bucket;
  }

  private forgetLongestUnused(): void {
    for (const name of this.buckets.keys()) {
      this.buckets.delete(name);
      return;
    }
  }
}
