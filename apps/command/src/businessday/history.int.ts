/** Yesterday's events of business days are read by today's code (test/recorded-history.ts). */
import { join } from 'node:path';
import { dateFromText } from '@sluice/domain/day';
import { businessDayEvents } from '@sluice/protocol/businessday';
import { eventsWithoutHistory, historiesIn, type History, keptAnswer, readHistory, testRecordingInto } from '../test/recorded-history';
import type { Asked } from '../test/aggregates-under-test';
import { BusinessDaysUnderTest, type Method } from '../test/business-days-under-test';

const FOLDER = join(__dirname, 'history');
const NORTH = { branchId: 'north' };
const SETTINGS = { timeZone: 'Europe/Prague', restDays: [6, 7], holidays: ['2026-12-24'], cutMinutes: 1_080, lineNames: { 1: 'cash desk' } };
const SAVINGS = { productId: 'savings', name: 'Savings', tiers: [{ fromMinor: 0n, basisPoints: 365 }], debitBasisPoints: 1_200 };

/** Requests that make every event, by their ids. */
const REQUESTS: Readonly<Record<string, readonly [Method, Asked]>> = {
  savings: ['createProduct', { product: SAVINGS }],
  deposit: ['createProduct', { product: { productId: 'deposit', termMonths: 1, renews: true, capitalisation: 5, dayCount: 3 } }],
  'savings again': ['createProduct', { product: SAVINGS }],
  'other terms': ['updateProduct', { product: { ...SAVINGS, capitalisation: 1 } }],
  register: ['registerBranch', { ...NORTH, onlineDate: '2026-11-27', settings: SETTINGS }],
  'register again': ['registerBranch', { ...NORTH, onlineDate: '2026-11-27', settings: SETTINGS }],
  'other settings': ['updateBranch', { ...NORTH, settings: { ...SETTINGS, stageOneJobs: [1], jobs: [2, 3, 4], rollPolicy: 2, stepAccounts: 1 } }],
  cut: ['cutDay', { ...NORTH, date: '2026-11-27' }],
  'cut another': ['cutDay', { ...NORTH, date: '2026-12-01' }],
  pause: ['pauseBatch', NORTH],
  batch: ['runBatch', { ...NORTH, date: '2026-11-27' }],
  early: ['beginDay', { ...NORTH, date: '2026-11-27' }],
  resume: ['resumeBatch', NORTH],
  begin: ['beginDay', { ...NORTH, date: '2026-11-27', force: true, reason: 'all jobs are done' }],
  'two days': ['runEndOfDay', { ...NORTH, untilDate: '2026-12-01' }],
  'by hand': ['setDates', { ...NORTH, date: '2026-12-23', reason: 'a jump before the holidays' }],
  'no run': ['pauseBatch', NORTH],
};

function answerTo(days: BusinessDaysUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  return keptAnswer(days.call(method, { requestId, ...request }));
}

async function record(): Promise<History> {
  const days = await BusinessDaysUnderTest.start();
  for (const [at, product] of ['savings', 'savings', 'deposit', ''].entries()) await days.open(`a${at}`, 100_000n, { ...NORTH, product });
  const batchDone = () => days.branch('north')?.run?.step === 7;
  for (const [requestId] of Object.entries(REQUESTS)) {
    if (requestId === 'begin') await days.until(batchDone);
    if (requestId === 'by hand') await days.rest('north');
    await answerTo(days, requestId);
  }
  const answers: Record<string, string> = {};
  for (const requestId of Object.keys(REQUESTS)) answers[requestId] = await answerTo(days, requestId);
  const commits = days.commits();
  await days.stop();
  return { commits, answers };
}

testRecordingInto(FOLDER, record);

test('the histories have every event, in every version that can be read', () => {
  expect(eventsWithoutHistory(FOLDER, businessDayEvents.known())).toEqual([]);
});

test.each(historiesIn(FOLDER))('%s: requests are answered as they were, from the log and from a snapshot, and the states are the same', async (name) => {
  const history = readHistory(FOLDER, name);
  const days = await BusinessDaysUnderTest.over(history.commits);
  for (const restart of [async () => undefined, () => days.restart()]) {
    await restart();
    for (const [requestId, answer] of Object.entries(history.answers)) expect([requestId, await answerTo(days, requestId)]).toEqual([requestId, answer]);
    const date = dateFromText('2026-12-23');
    expect(days.branch('north')).toMatchObject({ onlineDate: date, batchDate: date, inForce: true, byHand: true, run: undefined });
    expect(days.branch('north')?.settings).toMatchObject({ rollPolicy: 'AFTER_POSTING', jobs: ['INTEREST', 'ACCOUNTING', 'REPORTS'], stepAccounts: 1 });
  }
  await days.stop();
});
