import { type ChaosReport, type DoneStep, reportText } from './report';

const OPTIONS = { seed: 7, minutes: 10, plan: 'random', json: false, logs: undefined } as const;
const STEP: DoneStep = {
  atMs: 5_000,
  act: 'kill',
  target: 'command-1',
  kind: 'command',
  awayMs: 3_000,
  startedAfterMs: 900,
  servedAfterMs: 100,
  freshAfterMs: 200,
  gapMs: 2_600,
};
const REPORT: ChaosReport = {
  plan: 'random',
  seed: 7,
  minutes: 10,
  whole: true,
  complaints: [],
  steps: [STEP, { ...STEP, target: 'command-2', awayMs: 8_000, gapMs: 0 }, { ...STEP, act: 'pause', kind: 'nats', target: 'nats', freshAfterMs: null }],
  acknowledged: 123_456,
  repeated: 7,
  lost: 0,
  doubled: 0,
  longestGapMs: 2_600,
  gaps: [{ atMs: 187_000, partition: 3, lengthMs: 2_600 }],
  worstLagMs: 400,
  consumers: 9,
  mostConsumers: 12,
  largestMemory: { process: 'command-2', bytes: 200 << 20 },
  memoryGrowth: null,
  mongodb: 'a stand-in',
  nats: 'a server',
};

test('a row for each act on each kind, with its worst figures', () => {
  const text = reportText(REPORT, OPTIONS, undefined);
  expect(text).toMatch(/kill command +2 +8\.0 +0\.9 +0\.1 +0\.2 +2\.6/);
  expect(text).toMatch(/pause nats +1 +3\.0 +0\.9 +0\.1 +never +2\.6/);
  expect(text).toMatch(/partition 3 +03:07 +2\.6/);
  expect(text).toMatch(/postings acknowledged +123,456/);
  expect(text).toMatch(/largest process +200 MiB, command-2/);
});

test('one that is whole says so, and nothing of repeating it', () => {
  const text = reportText(REPORT, OPTIONS, undefined);
  expect(text).toContain('WHOLE: nothing lost, nothing doubled, log = read store');
  expect(text).not.toContain('npm run chaos');
});

test('one that is not names what does not hold, the command that repeats it, and the logs', () => {
  const text = reportText({ ...REPORT, whole: false, complaints: ['2 acknowledged postings are lost: a; b'] }, OPTIONS, '/tmp/logs');
  expect(text).toContain('NOT WHOLE\n  - 2 acknowledged postings are lost: a; b\nrepeat it with: npm run chaos -- --seed 7 --minutes 10\n');
  expect(text).toContain('/tmp/logs');
});
