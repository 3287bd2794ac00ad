/** Branches and their end of day over real accounts, without a network. */
import { dateFromText } from '@sluice/domain/day';
import { BusinessDaysUnderTest } from '../test/business-days-under-test';

const BRANCH = { branchId: 'north' };
const FRIDAY = dateFromText('2026-11-27') as number;
const MONDAY = FRIDAY + 3;

let days: BusinessDaysUnderTest;
beforeEach(async () => void (days = await BusinessDaysUnderTest.start()));
afterEach(() => days.end());

test('a day goes through its chain by commands, and every command answers the dates behind it', async () => {
  expect(await days.register('north')).toBe('2026-11-27/2026-11-27');
  expect(await days.dates('cutDay', { ...BRANCH })).toMatch(/^2026-11-30\/2026-11-27/);
  expect(await days.dates('cutDay', { ...BRANCH, date: '2026-11-27' })).toBe('2026-11-30/2026-11-27 WAITING');
  expect(await days.refusal('cutDay', { ...BRANCH })).toBe('BATCH_UNDER_WAY');
  expect(await days.refusal('beginDay', { ...BRANCH })).toBe('BATCH_NOT_WHOLE');
  expect(await days.dates('runBatch', { ...BRANCH })).toBe('2026-11-30/2026-11-27 RUNNING');
  await days.until(() => days.branch('north')?.run?.goal === 'BATCH' && days.branch('north')?.run?.step === 7);
  expect(await days.dates('beginDay', { ...BRANCH, date: '2026-11-27' })).toBe('2026-11-30/2026-11-30');
  expect(days.branch('north')).toMatchObject({ onlineRun: FRIDAY, batchRun: FRIDAY, run: undefined });
});

test('what is initiated behind the answer of the cut has the next date', async () => {
  await days.open('a', 100n, { branchId: 'north' });
  await days.register('north');
  await days.post('a', 'POSTING_TYPE_DEBIT', 1n);
  await days.call('cutDay', { ...BRANCH });
  await days.open('b', 2n, { branchId: 'north' });
  expect(days.businessDates()).toEqual(['a', 'a 2026-11-27', 'b 2026-11-30']);
  await days.call('runEndOfDay', { ...BRANCH });
  await days.rest('north');
  expect(days.branch('north')).toMatchObject({ onlineDate: MONDAY, batchDate: MONDAY });
});

test('missed days are closed one after the other, over restarts', async () => {
  await days.open('a', 100n, { branchId: 'north' });
  await days.register('north', { stepAccounts: 1 });
  expect(await days.dates('runEndOfDay', { ...BRANCH, untilDate: '2026-12-03' })).toMatch(/RUNNING$/);
  await days.restart();
  await days.rest('north');
  expect(await days.refusal('runEndOfDay', { ...BRANCH, untilDate: '2026-12-03' })).toBe('DATE_NOT_ONLINE');
  await days.crash();
  expect(days.branch('north')?.batchDate).toBe(dateFromText('2026-12-04'));
});
