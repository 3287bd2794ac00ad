import { MAXIMUM_TIMESTAMP_US, MINIMUM_TIMESTAMP_US, timestampFromUs } from '@sluice/protocol';
import { checkedTimeUs } from './request-shape';

test.each([
  ['a time in reach', 5n, 5],
  ['the first time of a timestamp', MINIMUM_TIMESTAMP_US, Number.MIN_SAFE_INTEGER],
  ['the last time of a timestamp', MAXIMUM_TIMESTAMP_US, Number.MAX_SAFE_INTEGER],
])('%s is microseconds that rows can be compared with', (_what, us, expected) => {
  expect(checkedTimeUs('time', timestampFromUs(us))).toBe(expected);
});
