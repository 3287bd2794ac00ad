/** Limits of a queue. */
import type { RateLimit } from './rate-window';

export interface TypeLimits {
  /** Attempts under way at most; 0: no limit. */
  readonly maximumRunning: number;
  readonly rate: RateLimit | undefined;
}

export interface QueueLimits extends TypeLimits {
  readonly types: ReadonlyMap<string, TypeLimits>;
  readonly maximumRunningPerKey: number;
  readonly ratePerKey: RateLimit | undefined;
}

export const NO_TYPE_LIMITS: TypeLimits = { maximumRunning: 0, rate: undefined };
/** Tasks of a key run one after the other; nothing else is limited. */
export const NO_QUEUE_LIMITS: QueueLimits = { ...NO_TYPE_LIMITS, types: new Map(), maximumRunningPerKey: 1, ratePerKey: undefined };
