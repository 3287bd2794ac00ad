/**
 * Microseconds since 1970-01-01T00:00:00Z (what the engine counts in) to and from `google.protobuf.Timestamp` (what callers
 * see). Never through `Date`, which would lose the microseconds.
 */
import type { Timestamp } from './generated/google/protobuf/timestamp';

/** The range that the message allows: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. */
export const MINIMUM_TIMESTAMP_US = -62_135_596_800_000_000n;
export const MAXIMUM_TIMESTAMP_US = 253_402_300_799_999_999n;

const US_PER_SECOND = 1_000_000n;
const NANOS_PER_US = 1_000;
const NANOS_PER_SECOND = 1_000_000_000;

/** Throws a RangeError for what is outside the message's range or not a whole number. */
export function timestampFromUs(microseconds: number | bigint): Timestamp {
  const whole = BigInt(microseconds);
  if (whole < MINIMUM_TIMESTAMP_US || whole > MAXIMUM_TIMESTAMP_US) throw new RangeError(`${whole} µs is outside the years 1 to 9999`);
  let seconds = whole / US_PER_SECOND;
  let rest = whole % US_PER_SECOND;
  if (rest < 0n) {
    seconds -= 1n;
    rest += US_PER_SECOND;
  }
  return { seconds, nanos: Number(rest) * NANOS_PER_US };
}

/** Nanoseconds below a microsecond are cut off. Throws a RangeError for a timestamp that is not well formed. */
export function usFromTimestamp(timestamp: Timestamp): bigint {
  const { seconds, nanos } = timestamp;
  if (!Number.isInteger(nanos) || nanos < 0 || nanos >= NANOS_PER_SECOND) throw new RangeError(`nanos of a timestamp are 0 to 999,999,999, not ${nanos}`);
  const microseconds = BigInt(seconds) * US_PER_SECOND + BigInt(Math.trunc(nanos / NANOS_PER_US));
  if (microseconds < MINIMUM_TIMESTAMP_US || microseconds > MAXIMUM_TIMESTAMP_US) throw new RangeError(`${seconds} s is outside the years 1 to 9999`);
  return microseconds;
}
