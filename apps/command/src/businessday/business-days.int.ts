/** Branches and their end of day over real accounts, without a network. */
import { dateAt } from '@sluice/domain/businessday';
import { dateFromText } from '@sluice/domain/day';
import { businessdaypb } from '@sluice/protocol/businessday';
import { BusinessDaysUnderTest, PARTITIONS, type Method } from '../test/business-days-under-test';

const DAILY = businessdaypb.Capitalisation.CAPITALISATION_DAILY;
const BRANCH = { branchId: 'north' };
const FRIDAY = dateFromText('2026-11-27') as number;
const MONDAY = FRIDAY + 3;
const DAY_US = 86_400_000_000;

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

test.each(['restart', 'crash'] as const)('a run goes on behind a %s in any of its steps, and does everything once', async (end) => {
  for (const at of [0, 1, 2, 3, 4, 5]) await days.open(`a${at}`, 100n, { branchId: 'north', product: at < 3 ? 'savings' : '' });
  await days.call('createProduct', { product: { productId: 'savings', tiers: [{ fromMinor: 0n, basisPoints: 36_500 }], capitalisation: DAILY } });
  await days.register('north', { stepAccounts: 1, stageOneJobs: [businessdaypb.Job.JOB_MATURITY] });
  await days.call('runEndOfDay', { ...BRANCH });
  let version = 0;
  for (let restarts = 0; days.branch('north')?.run !== undefined; restarts += 1) {
    expect(restarts).toBeLessThan(40);
    await days.until(() => days.branch('north')?.run === undefined || (days.branch('north')?.version ?? 0) > version + 2);
    version = days.branch('north')?.version ?? 0;
    await days[end]();
  }
  await days.rest('north');
  expect(days.branch('north')).toMatchObject({ onlineDate: MONDAY, batchDate: MONDAY });
  // A hundredth a day, for three days.
  expect(days.balances('a0', 'a2', 'a3')).toEqual([103n, 103n, 100n]);
  const begun = days.eventTypes().filter((type) => type === 'businessday.StepBegun');
  expect(begun).toHaveLength(9);
});

test('a paused run stands still over a restart, and a day begin is forced although steps are missing', async () => {
  for (const at of [0, 1, 2, 3]) await days.open(`a${at}`, 1n, { branchId: 'north' });
  await days.register('north', { stepAccounts: 1 });
  await days.call('cutDay', { ...BRANCH });
  await days.call('runBatch', { ...BRANCH });
  await days.until(() => days.branch('north')?.run?.step === 3);
  expect(await days.dates('pauseBatch', { ...BRANCH })).toBe('2026-11-30/2026-11-27 PAUSED');
  await days.restart();
  const { version } = days.branch('north') as { version: number };
  await days.clock.elapse(60_000);
  await days.fireDue();
  expect((days.branch('north')?.version ?? 0) - version).toBeLessThan(PARTITIONS);
  expect(await days.refusal('beginDay', { ...BRANCH })).toBe('BATCH_NOT_WHOLE');
  expect(await days.dates('beginDay', { ...BRANCH, force: true, reason: 'the bank opens' })).toBe('2026-11-30/2026-11-30');
  expect(await days.refusal('resumeBatch', { ...BRANCH })).toBe('NO_BATCH_RUN');
});

test('an automatic branch cuts its days by timers, and answers when the next one is due', async () => {
  const today = dateAt({ timeZone: 'UTC' }, days.clock.nowUs() / 1_000);
  await days.register('north', { timeZone: 'UTC', restDays: [], automatic: true, cutMinutes: 1_439 }, { onlineDate: '' });
  expect(days.branch('north')?.onlineDate).toBe(today);
  days.clock.set(days.clock.nowUs() + 3 * DAY_US);
  await days.until(() => (days.branch('north')?.batchDate ?? 0) >= today + 3);
  await days.rest('north');
  const answered = (await days.call('updateBranch', { ...BRANCH, settings: { timeZone: 'UTC', automatic: true, cutMinutes: 60 } })).day;
  expect(answered?.nextCutAt?.seconds).toBe(BigInt((today + 3) * 86_400 + 1_439 * 60));
});

test('a repeat of a cut waits again and gets the dates as they are', async () => {
  await days.open('a', 1n, { branchId: 'north' });
  await days.register('north');
  const request = { ...BRANCH, requestId: 'cut it' };
  const first = await days.call('cutDay', request);
  await days.call('runEndOfDay', { ...BRANCH });
  await days.rest('north');
  const again = await days.call('cutDay', request);
  expect([first.repeated, again.repeated]).toEqual([false, true]);
  expect([again.day?.onlineDate, again.day?.batchDate, again.day?.batchRunId]).toEqual(['2026-11-30', '2026-11-30', 'north/2026-11-27']);
});

test('dates are set by hand while no run is under way', async () => {
  await days.open('a', 1n, { branchId: 'north' });
  await days.register('north');
  expect(await days.dates('setDates', { ...BRANCH, date: '2026-11-20', reason: 'a test' })).toBe('2026-11-20/2026-11-20');
  await days.open('b', 1n, { branchId: 'north' });
  expect(days.businessDates()).toEqual(['a', 'b 2026-11-20']);
  expect(await days.refusal('setDates', { ...BRANCH, date: '2026-11-21', reason: 'a Saturday' })).toBe('INVALID_REQUEST');
});

// What is asked, which field is wrong, and why.
test.each`
  method              | request                                                                        | field
  ${'registerBranch'} | ${{}}                                                                          | ${'settings'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'Nowhere' } }}                                       | ${'settings.time_zone'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', restDays: [0] } }}                            | ${'settings.rest_days'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', restDays: [1, 2, 3, 4, 5, 6, 7] } }}          | ${'settings.rest_days'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', holidays: ['2026-02-30'] } }}                 | ${'settings.holidays'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', cutMinutes: 1_440 } }}                        | ${'settings.cut_minutes'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', rollPolicy: 9 } }}                            | ${'settings.roll_policy'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', stageOneJobs: [2] } }}                        | ${'settings.stage_one_jobs'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', jobs: [2, 2] } }}                             | ${'settings.jobs'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', waitMs: 3_600_001 } }}                        | ${'settings.wait_ms'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', stepAccounts: 10_001 } }}                     | ${'settings.step_accounts'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC', lineNames: { 9: 'x' } } }}                    | ${'settings.line_names'}
  ${'registerBranch'} | ${{ settings: { timeZone: 'UTC' }, onlineDate: '27.11.2026' }}                 | ${'online_date'}
  ${'beginDay'}       | ${{ force: true }}                                                             | ${'reason'}
  ${'setDates'}       | ${{ date: '2026-11-27' }}                                                      | ${'reason'}
  ${'createProduct'}  | ${{}}                                                                          | ${'product'}
  ${'createProduct'}  | ${{ product: { productId: 'p', termMonths: 1, termDays: 1 } }}                 | ${'product.term_days'}
  ${'createProduct'}  | ${{ product: { productId: 'p', tiers: [{ fromMinor: 1n, basisPoints: 1 }] } }} | ${'product.tiers'}
  ${'createProduct'}  | ${{ product: { productId: 'p', debitBasisPoints: -1 } }}                       | ${'product.debit_basis_points'}
`('$method with $request is refused for $field', async ({ method, request, field }) => {
  const call = days.call(method as Method, { ...BRANCH, ...(request as object) });
  await expect(call).rejects.toMatchObject({ reason: 'INVALID_REQUEST', metadata: { field } });
});
