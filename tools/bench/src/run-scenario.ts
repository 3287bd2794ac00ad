/**
 * One run of a scenario: from nothing to a report, and back to nothing, whatever happens between.
 */
import { formatTable } from '@sluice/terminal';
import { Bench } from './bench';
import type { BenchOptions } from './options';
import { makeReport, type BenchReport } from './report/report';
import type { Scenario, ScenarioResult } from './scenario/scenario';

const EXIT_VERIFIED = 0;
/** Not verified, or not measured. */
const EXIT_FAILED = 1;
const EXIT_INTERRUPTED = 130;

export async function runScenario(name: string, scenario: Scenario, options: BenchOptions): Promise<number> {
  const bench = new Bench(options);
  const interrupt = (): void => {
    bench.progress.clear();
    void bench.scratch.clear().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const result = await scenario.run(bench);
    const report = makeReport(name, options.seconds, result);
    bench.progress.clear();
    print(bench, result, report);
    return report.verified === true ? EXIT_VERIFIED : EXIT_FAILED;
  } catch (error) {
    bench.progress.clear();
    const told = [`${name} could not be measured: ${error instanceof Error ? error.message : String(error)}`, ...bench.complaints, bench.obituary];
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
  const {
    scenario,
    seconds,
    reads: _reads,
    distributed: _distributed,
    telemetry: _telemetry,
    timers: _timers,
    fairness: _fairness,
    tasks: _tasks,
    contest: _contest,
    reservations: _reservations,
    dayCut: _dayCut,
    skipped,
    ...figures
  } = report;
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
