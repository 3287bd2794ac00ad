import { makeReport } from './report';

const FIELDS = [
  'scenario',
  'seconds',
  'acceptedPerSecond',
  'ackP50Ms',
  'ackP99Ms',
  'lagP50Ms',
  'lagP99Ms',
  'lagSlopeMsPerS',
  'echoPerSecond',
  'ratioToEcho',
  'ratioToRowLock',
  'ratioToPostgresRowLock',
  'ratioToPostgresBatch',
  'ratioToHotAccount',
  'ratioPoolOnOff',
  'throughputRatio',
  'p99Ratio',
  'rejected',
  'sweptAccounts',
  'readyMs',
  'peakRssBytes',
  'acknowledged',
  'logged',
  'projected',
  'verified',
  'skipped',
];

test('every report has the same fields, and every null its reason', () => {
  const report = makeReport('hot-account', 5, {
    figures: { acceptedPerSecond: 150_123.456, ratioToEcho: 0.761234, acknowledged: 1_234_567, verified: true, ratioToPostgresBatch: undefined },
    skipped: { ratioToPostgresBatch: 'no PostgreSQL' },
  });
  expect(Object.keys(report).sort()).toEqual([...FIELDS].sort());
  expect(report).toMatchObject({ acceptedPerSecond: 150_123, ratioToEcho: 0.7612, acknowledged: 1_234_567, verified: true, ratioToPostgresBatch: null });
  expect(report.skipped).toMatchObject({ ratioToPostgresBatch: 'no PostgreSQL', ratioPoolOnOff: 'hot-account does not measure it' });
  const nulls = Object.entries(report).flatMap(([name, figure]) => (figure === null ? [name] : []));
  expect(Object.keys(report.skipped).sort()).toEqual(nulls.sort());
});
