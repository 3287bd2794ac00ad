/**
 * The bench: `npm run bench -- SCENARIO`, `sluice bench SCENARIO`. Real processes, loopback gRPC, durable as in production;
 * every run proves at its end that what it counted is there. docs/performance.md says what the figures mean.
 */
import { Bench } from './bench';
import { OPTIONS_USAGE, parseOptions, UsageError, type BenchOptions } from './options';
import { makeReport, type BenchReport } from './report/report';
import { formatTable } from './report/table';
import { hotAccount, hotAccountUnary } from './scenario/hot-account';
import { manyAccounts } from './scenario/many-accounts';
import { queries } from './scenario/queries';
import { restart } from './scenario/restart';
import type { Scenario, ScenarioResult } from './scenario/scenario';
import { signed } from './scenario/signed';

export type { BenchReport, Figures, ReadFigures } from './report/report';

const SCENARIOS: readonly Scenario[] = [hotAccount, hotAccountUnary, manyAccounts, queries, signed, restart];

const EXIT_VERIFIED = 0;
/** Not verified, or not measured. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Runs one scenario; resolves with the exit code: 0 only if acknowledged = log = read store. */
export async function runBench(argv: readonly string[]): Promise<number> {
  try {
    const { scenario: name, help, options } = parseOptions(argv);
    if (help) {
      process.stdout.write(`${usage()}\n`);
      return EXIT_VERIFIED;
    }
    const scenario = SCENARIOS.find((known) => known.name === name);
    if (scenario === undefined) throw new UsageError(name === undefined ? 'which scenario?' : `there is no scenario ${name}`);
    return await runScenario(scenario, options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage()}\n`);
    return EXIT_USAGE;
  }
}

export function usage(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return `usage: bench SCENARIO [options]\n\n${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}\n${OPTIONS_USAGE}`;
}

async function runScenario(scenario: Scenario, options: BenchOptions): Promise<number> {
  const bench = new Bench(options);
  const interrupt = (): void => {
    bench.progress.clear();
    void bench.scratch.clear().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const result = await scenario.run(bench);
    const report = makeReport(scenario.name, options.seconds, result);
    bench.progress.clear();
    print(bench, result, report);
    return report.verified === true ? EXIT_VERIFIED : EXIT_FAILED;
  } catch (error) {
    bench.progress.clear();
    const told = [`${scenario.name} could not be measured: ${error instanceof Error ? error.message : String(error)}`, ...bench.complaints, bench.obituary];
    process.stderr.write(`${told.filter((line) => line !== undefined).join('\n')}\n`);
    return EXIT_FAILED;
  } finally {
    bench.progress.clear();
    await bench.scratch.clear();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function print(bench: Bench, { tables }: ScenarioResult, report: BenchReport): void {
  const forPeople = bench.options.json ? process.stderr : process.stdout;
  const { scenario, seconds, reads: _reads, skipped, ...figures } = report;
  const measured = Object.entries(figures).flatMap(([name, figure]) =>
    figure === null ? [] : [[name, typeof figure === 'boolean' ? (figure ? 'yes' : 'NO') : figure]],
  );
  const lines = [
    `${scenario}, ${seconds} s a side and round, median of ${bench.options.rounds}`,
    '',
    ...tables.flatMap(({ head, rows }) => [formatTable(head, rows), '']),
    formatTable(['figure', ''], measured),
    '',
    ...bench.remarks,
    ...Object.entries(skipped)
      .filter(([, reason]) => !reason.endsWith('does not measure it'))
      .map(([name, reason]) => `${name} was skipped: ${reason}`),
    ...bench.complaints.map((complaint) => `WRONG: ${complaint}`),
    report.verified === true ? 'acknowledged = log = read store' : 'NOT VERIFIED: acknowledged, log and read store differ, or calls failed',
  ];
  forPeople.write(`${lines.join('\n')}\n`);
  if (bench.options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}
