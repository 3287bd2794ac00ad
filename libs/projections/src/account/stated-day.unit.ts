import { FIRST_DATE, LAST_DATE } from '@sluice/domain/day';
import fc from 'fast-check';
import { decodeStatedDay, encodeStatedDay } from './stated-day';

const date = fc.oneof(fc.constantFrom(FIRST_DATE, LAST_DATE, -1, 0, 1), fc.integer({ min: FIRST_DATE, max: LAST_DATE }));
const balanceMinor = fc.oneof(fc.constantFrom(0n, 1n, -1n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
const closed = { date, balanceMinor, sequence: fc.maxSafeNat() };

test('what is packed is read back', () => {
  const day = fc.record({
    ...closed,
    before: fc.option(fc.record(closed), { nil: undefined }),
    updatedAtUs: fc.maxSafeNat(),
    balanceDate: fc.option(date, { nil: undefined }),
    openDate: fc.option(date, { nil: undefined }),
    behindSetDates: fc.boolean(),
  });
  fc.assert(fc.property(day, (given) => expect(decodeStatedDay(encodeStatedDay(given))).toEqual(given)));
});
