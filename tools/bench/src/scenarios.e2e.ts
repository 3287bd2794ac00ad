/**
 * Every scenario against the real server, as small as it gets: the report has what it promises, and the proof holds. The
 * figures themselves say nothing here.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { haveServer } from '@sluice/infra';
import type { BenchReport } from './index';

/** Scenarios with several servers take longer than a minute on a busy machine. */
const TIMEOUT_MS = 180_000;
const SMALL = ['--seconds', '0.3', '--rounds', '1', '--json'];
const RUN = `require(${JSON.stringify(join(__dirname, '../dist/index.js'))}).runBench(process.argv.slice(1)).then((code) => { process.exitCode = code; })`;

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', RUN, '--', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const PROOF = ['acknowledged', 'logged', 'projected'] as const;

test.each`
  scenario               | options                                                                                                | measured
  ${'hot-account'}       | ${['--compare', 'echo,row-lock']}                                                                      | ${['acceptedPerSecond', 'ackP99Ms', 'ratioToEcho', 'ratioToRowLock', 'readyMs']}
  ${'hot-account-unary'} | ${['--in-flight', '1', '--compare', 'echo']}                                                           | ${['acceptedPerSecond', 'ackP50Ms', 'echoPerSecond', 'ratioToEcho']}
  ${'many-accounts'}     | ${['--accounts', '500', '--compare', 'none']}                                                          | ${['acceptedPerSecond', 'ratioToHotAccount']}
  ${'queries'}           | ${[]}                                                                                                  | ${['acceptedPerSecond', 'ackP99Ms', 'reads']}
  ${'fairness'}          | ${['--accounts', '500', '--batch', '1000']}                                                            | ${['acceptedPerSecond', 'ackP99Ms', 'fairness']}
  ${'signed'}            | ${['--batch', '100']}                                                                                  | ${['acceptedPerSecond', 'ratioPoolOnOff']}
  ${'telemetry'}         | ${['--batch', '100']}                                                                                  | ${['acceptedPerSecond', 'telemetry']}
  ${'deliveries'}        | ${['--accounts', '5000']}                                                                              | ${['acceptedPerSecond']}
  ${'tasks'}             | ${['--tasks', '300', '--accounts', '500', '--workers', '1', '--compare', 'none']}                      | ${['tasks']}
  ${'contest'}           | ${['--accounts', '60', '--entries', '1000', '--watchers', '5', '--batch', '100', '--compare', 'none']} | ${['acceptedPerSecond', 'ratioToHotAccount', 'contest']}
  ${'reservations'}      | ${['--accounts', '2000', '--batch', '100', '--open', '300', '--compare', 'none']}                      | ${['acceptedPerSecond', 'reservations']}
  ${'day-cut'}           | ${['--accounts', '3000', '--batch', '100', '--compare', 'none']}                                       | ${['acceptedPerSecond', 'throughputRatio', 'p99Ratio', 'rejected', 'sweptAccounts', 'dayCut']}
  ${'restart'}           | ${['--accounts', '300', '--entries', '3000']}                                                          | ${['readyMs', 'peakRssBytes']}
`(
  '$scenario reports what it measured, and it is there',
  async ({ scenario, options, measured }: { scenario: string; options: string[]; measured: (keyof BenchReport)[] }) => {
    const { code, stdout, stderr } = await run([scenario, ...SMALL, ...options]);
    expect({ code, told: code === 0 ? '' : stderr }).toEqual({ code: 0, told: '' });
    const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as BenchReport;
    expect(report).toMatchObject({ scenario, seconds: 0.3, verified: true });
    const skipped: Readonly<Record<string, string | undefined>> = report.skipped;
    for (const name of measured) expect({ name, value: report[name], why: skipped[name] }).not.toMatchObject({ value: null });
    expect(new Set(PROOF.map((name) => report[name])).size).toBe(1);
    expect(report.acknowledged).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

// Where it must not be missing the test runs, and fails.
const hasServers = process.env['CI'] === 'true' || (haveServer('mongodb') && haveServer('nats'));
const distributedTest = hasServers ? test : test.skip;

distributedTest(`distributed reports what it measured, and it is there${hasServers ? '' : ' (skipped: no MongoDB or no NATS can be had here)'}`, async () => {
  // A transaction per request takes long on a busy machine: one at least is to end while it is measured.
  const { code, stdout, stderr } = await run(['distributed', ...SMALL, '--seconds', '2', '--batch', '100', '--owners', '1']);
  expect({ code, told: code === 0 ? '' : stderr }).toEqual({ code: 0, told: '' });
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as BenchReport;
  expect(report).toMatchObject({ scenario: 'distributed', verified: true });
  expect(report.distributed?.ratioToPerRequest).toBeGreaterThan(0);
  expect(report.distributed?.scale).toEqual([{ partitions: 1, owners: 1, acceptedPerSecond: expect.any(Number) }]);
});

test.each([[[]], [['no-such-scenario']], [['hot-account', '--seconds', 'x']]])('%j is answered with the usage and exit code 2', async (args) => {
  expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('usage: bench SCENARIO') });
});
