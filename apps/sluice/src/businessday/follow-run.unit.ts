import { type BatchRun, SluiceError, type SluiceClient } from '@sluice/client';
import type { Surroundings } from '../connection';
import { EXIT } from '../exit-code';
import { Output, type Screen } from '../output';
import { followRuns } from './follow-run';

const run = (date: string, nextDate: string, changes: Partial<BatchRun> = {}): BatchRun => ({
  runId: `prague/${date}`,
  branchId: 'prague',
  date,
  nextDate,
  state: 'RUNNING',
  goal: 'BEGIN',
  steps: [],
  begunAt: undefined,
  endedAt: undefined,
  setAside: [],
  setAsideCount: 0,
  stragglers: 0,
  forcedReason: '',
  ...changes,
});

const FRIDAY = run('2026-11-27', '2026-11-30');
const MONDAY = run('2026-11-30', '2026-12-01');
const ended = (of: BatchRun): BatchRun => ({ ...of, state: 'ENDED' });

/** What each run is seen as, change by change. A run that is asked for first is not there yet. */
async function follow(seen: Readonly<Record<string, readonly BatchRun[]>>, untilDate?: string, isTTY = false, json = false, breaksBehind?: BatchRun) {
  let text = '';
  const asked = new Set<string>();
  const results: Screen = { write: (piece) => (text += piece), isTTY, columns: 60 };
  const interruption = new AbortController();
  const businessDays = {
    async *watchRun(runId: string) {
      for (const one of seen[runId] ?? []) {
        yield one;
        if (one !== breaksBehind) continue;
        breaksBehind = undefined;
        throw new SluiceError({ code: 'UNAVAILABLE', reason: '', message: 'the server went away' });
      }
      // A run that has not ended is watched until somebody leaves.
      if (seen[runId]?.at(-1)?.state === 'RUNNING') interruption.abort();
    },
    getRun: (runId: string) => {
      if (asked.has(runId)) return Promise.resolve(seen[runId]?.[0]);
      asked.add(runId);
      return Promise.reject(new SluiceError({ code: 'NOT_FOUND', reason: 'BATCH_RUN_NOT_FOUND', message: 'there is no such run' }));
    },
  };
  const surroundings = { terminal: { results, messages: results }, interrupted: interruption.signal } as unknown as Surroundings;
  const output = new Output({ results, messages: results }, json);
  const code = await followRuns({ client: { businessDays } as unknown as SluiceClient, output, surroundings }, FRIDAY.runId, untilDate);
  return { code, text };
}

test.each`
  what                                          | seen                                                                                    | untilDate       | code            | last
  ${'a run that ends'}                          | ${{ [FRIDAY.runId]: [FRIDAY, ended(FRIDAY)] }}                                          | ${undefined}    | ${EXIT.done}    | ${/prague\/2026-11-27 {2}ENDED\n$/}
  ${'a run that waits for a further goal'}      | ${{ [FRIDAY.runId]: [FRIDAY, { ...FRIDAY, state: 'WAITING', goal: 'BATCH' }, FRIDAY] }} | ${undefined}    | ${EXIT.done}    | ${/WAITING behind BATCH\n$/}
  ${'a run that waits because of what is left'} | ${{ [FRIDAY.runId]: [{ ...FRIDAY, state: 'WAITING', setAsideCount: 1 }] }}              | ${undefined}    | ${EXIT.refused} | ${/accounts set aside: 1\n.*WAITING behind BEGIN\n$/}
  ${'a run that is paused and goes on'}         | ${{ [FRIDAY.runId]: [{ ...FRIDAY, state: 'PAUSED' }, ended(FRIDAY)] }}                  | ${undefined}    | ${EXIT.done}    | ${/PAUSED\n.*ENDED\n$/}
  ${'the runs of several dates'}                | ${{ [FRIDAY.runId]: [ended(FRIDAY)], [MONDAY.runId]: [MONDAY, ended(MONDAY)] }}         | ${'2026-11-30'} | ${EXIT.done}    | ${/2026-11-27 {2}ENDED\n(.*\n)*.*2026-11-30 {2}ENDED\n$/}
  ${'no run behind the last date'}              | ${{ [FRIDAY.runId]: [ended(FRIDAY)], [MONDAY.runId]: [MONDAY, ended(MONDAY)] }}         | ${'2026-11-29'} | ${EXIT.done}    | ${/2026-11-27 {2}ENDED\n$/}
  ${'a run that is left by Ctrl-C'}             | ${{ [FRIDAY.runId]: [FRIDAY] }}                                                         | ${'2026-11-30'} | ${EXIT.done}    | ${/2026-11-30 is next\n$/}
`('follows $what', async ({ seen, untilDate, code, last }: { seen: Record<string, BatchRun[]>; untilDate?: string; code: number; last: RegExp }) => {
  const followed = await follow(seen, untilDate);
  expect(followed.text).toMatch(last);
  expect(followed.code).toBe(code);
});

test('on a terminal it is drawn over itself; for machines it is an object per change', async () => {
  const seen = { [FRIDAY.runId]: [FRIDAY, ended(FRIDAY)] };
  expect((await follow(seen, undefined, true)).text).toContain('\u001b[1A\r\u001b[2Kprague: 2026-11-27 → 2026-11-30');
  const objects = (await follow(seen, undefined, true, true)).text.trimEnd().split('\n');
  expect(objects.map((line) => (JSON.parse(line) as BatchRun).state)).toEqual(['RUNNING', 'ENDED']);
});

test('goes on over a server that went away', async () => {
  const { code, text } = await follow({ [FRIDAY.runId]: [FRIDAY, ended(FRIDAY)] }, undefined, false, false, FRIDAY);
  expect(text.split('\n')).toEqual(['prague/2026-11-27  closes 2026-11-27, 2026-11-30 is next', 'prague/2026-11-27  ENDED', '']);
  expect(code).toBe(EXIT.done);
});
