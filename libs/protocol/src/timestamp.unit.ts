import fc from 'fast-check';
import { MAXIMUM_TIMESTAMP_US, MINIMUM_TIMESTAMP_US, timestampFromUs, usFromTimestamp } from './timestamp';

test.each`
  microseconds              | seconds             | nanos
  ${0}                      | ${0n}               | ${0}
  ${1}                      | ${0n}               | ${1_000}
  ${999_999}                | ${0n}               | ${999_999_000}
  ${1_000_000}              | ${1n}               | ${0}
  ${-1}                     | ${-1n}              | ${999_999_000}
  ${-1_000_000}             | ${-1n}              | ${0}
  ${1_795_363_200_123_456n} | ${1_795_363_200n}   | ${123_456_000}
  ${MINIMUM_TIMESTAMP_US}   | ${-62_135_596_800n} | ${0}
  ${MAXIMUM_TIMESTAMP_US}   | ${253_402_300_799n} | ${999_999_000}
`('$microseconds µs are $seconds s and $nanos ns', ({ microseconds, seconds, nanos }: { microseconds: number | bigint; seconds: bigint; nanos: number }) => {
  expect(timestampFromUs(microseconds)).toEqual({ seconds, nanos });
  expect(usFromTimestamp({ seconds, nanos })).toBe(BigInt(microseconds));
});

test('every microsecond of the range comes back', () => {
  fc.assert(fc.property(fc.bigInt({ min: MINIMUM_TIMESTAMP_US, max: MAXIMUM_TIMESTAMP_US }), (us) => usFromTimestamp(timestampFromUs(us)) === us));
});

test('what lies below a microsecond is cut off', () => {
  expect(usFromTimestamp({ seconds: 1n, nanos: 999 })).toBe(1_000_000n);
});

test('what is no time is refused', () => {
  expect(() => timestampFromUs(MAXIMUM_TIMESTAMP_US + 1n)).toThrow(RangeError);
  expect(() => timestampFromUs(MINIMUM_TIMESTAMP_US - 1n)).toThrow(RangeError);
  expect(() => timestampFromUs(1.5)).toThrow(RangeError);
  expect(() => timestampFromUs(Number.NaN)).toThrow(RangeError);
  expect(() => usFromTimestamp({ seconds: 0n, nanos: -1 })).toThrow(RangeError);
  expect(() => usFromTimestamp({ seconds: 0n, nanos: 1_000_000_000 })).toThrow(RangeError);
  expect(() => usFromTimestamp({ seconds: 253_402_300_800n, nanos: 0 })).toThrow(RangeError);
});
