/** npm run simulate: runs seeds, prints what broke and how to see it again. */
import { parseArgs } from 'node:util';
import { DEFECTS, defectNamed } from './defects';
import { simulate, type Outcome } from './simulate';

const HELP = `Usage: npm run simulate -- [options]

Runs the deployment in one process on simulated time, disks and networks, under faults drawn from a seed,
and judges what is left: nothing acknowledged is lost, nothing is applied twice, repeats get their first answer,
the read store is the fold of the log. The same seed gives the same run.

  --seed N        first seed (default 1)
  --seeds COUNT   how many seeds, one after the other (default 1)
  --step N        run every N-th seed only, so that N processes share a range (default 1)
  --minutes M     go on with further seeds until so much time has passed
  --defect NAME   plant a known defect and stop at the first seed that shows it; several names: each in turn, within the
                  number of seeds in which it has to be found unless --seeds says another one.
                  Known: ${[...DEFECTS.keys()].join(', ')}
  --trace         print everything that happened in the run of a seed
  --json          one JSON object per seed
  --report COUNT  a line after every so many seeds: how many ran, which failed, processor time
  --help          this text

Exit code: 0 nothing broke, 1 an invariant was breached, 64 wrong options.
`;

/** Lines of the trace that are printed of a seed that failed. */
const SHOWN_LINES = 60;
/** Exit code: the simulator itself failed (EX_SOFTWARE). */
const BROKEN = 70;
const WRONG_USE = 64;

interface Options {
  readonly firstSeed: number;
  /** Undefined: as many as the defect says, else 1. */
  readonly seeds: number | undefined;
  readonly step: number;
  readonly untilMs: number;
  readonly defects: readonly string[];
  readonly trace: boolean;
  readonly json: boolean;
  /** Infinity: none. */
  readonly reportEvery: number;
}

interface Counts {
  run: number;
  /** Seeds. */
  readonly failed: number[];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const options = parseOptions();
  if (typeof options === 'number') return options;
  const startedMs = Date.now();
  const counts: Counts = { run: 0, failed: [] };
  if (options.defects.length === 0) await runSeeds(options, undefined, counts);
  for (const defect of options.defects) await runSeeds(options, defect, counts);
  if (!options.json) print(`${counts.run} seeds in ${Math.round((Date.now() - startedMs) / 1_000)} s: ${counts.failed.length} failed`);
  return counts.failed.length > 0 ? 1 : 0;
}

async function runSeeds(options: Options, defect: string | undefined, counts: Counts): Promise<void> {
  const { firstSeed, step, untilMs, trace, json, reportEvery } = options;
  const seeds = options.seeds ?? (defect === undefined ? 1 : defectNamed(defect).foundWithin);
  for (let run = 0; run < seeds || Date.now() < untilMs; run += 1) {
    const outcome = await simulate({ seed: firstSeed + run * step, traceEverything: trace, ...(defect === undefined ? undefined : { defect }) });
    const isFailed = outcome.breaches.length > 0;
    counts.run += 1;
    if (isFailed) counts.failed.push(outcome.seed);
    if (json) print(JSON.stringify(told(outcome, defect)));
    else show(outcome, trace, defect);
    if (counts.run % reportEvery === 0) print(summary(counts));
    // A planted defect is found: the next seeds would say the same.
    if (defect !== undefined && isFailed) return;
    if (process.stderr.isTTY && !json) process.stderr.write(`\r${counts.run} seeds, ${counts.failed.length} failed \r`);
  }
}

function summary({ run, failed }: Counts): string {
  const { user, system } = process.cpuUsage();
  const seeds = failed.length === 0 ? '' : ` (${failed.join(', ')})`;
  return `${run} seeds in ${Math.round((user + system) / 1_000_000)} s of processor time: ${failed.length} failed${seeds}`;
}

function show(outcome: Outcome, trace: boolean, defect: string | undefined): void {
  const { seed, breaches, faults, digest, events, simulatedMs } = outcome;
  if (trace) print(outcome.trace.join('\n'));
  else if (breaches.length > 0) print(outcome.trace.slice(-SHOWN_LINES).join('\n'));
  if (trace || breaches.length > 0) print(`seed ${seed}: ${events} events in ${simulatedMs} simulated ms, digest ${digest}\nfaults: ${faults}`);
  if (breaches.length === 0) return;
  print(`seed ${seed} FAILED:`);
  for (const breach of breaches) print(`  - ${breach}`);
  print(`Run it again: npm run simulate -- --seed ${seed} --trace${defect === undefined ? '' : ` --defect ${defect}`}\n`);
}

function told({ seed, breaches, faults, digest, events, simulatedMs }: Outcome, defect: string | undefined): object {
  return { seed, defect, failed: breaches.length > 0, breaches, faults, digest, events, simulatedMs };
}

function parseOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string' },
        step: { type: 'string', default: '1' },
        minutes: { type: 'string' },
        defect: { type: 'string', multiple: true, default: [] },
        trace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        report: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      print(HELP);
      return 0;
    }
    const minutes = values.minutes === undefined ? 0 : positive('--minutes', values.minutes, false);
    for (const name of values.defect) defectNamed(name);
    return {
      firstSeed: positive('--seed', values.seed, true),
      seeds: values.seeds === undefined ? (minutes > 0 ? 0 : undefined) : positive('--seeds', values.seeds, true),
      step: positive('--step', values.step, true),
      untilMs: Date.now() + minutes * 60_000,
      defects: values.defect,
      trace: values.trace,
      json: values.json,
      reportEvery: values.report === undefined ? Number.POSITIVE_INFINITY : positive('--report', values.report, true),
    };
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return WRONG_USE;
  }
}

function positive(option: string, text: string, whole: boolean): number {
  const value = Number(text);
  if (!(value > 0) || (whole && !Number.isSafeInteger(value))) throw new Error(`${option} takes a positive ${whole ? 'whole ' : ''}number, not ${text}`);
  return value;
}

// Node would end with 1 itself, which says that seeds failed.
process.on('uncaughtException', (error) => {
  complain(String(error.stack));
  process.exit(BROKEN);
});
void main().then((code) => {
  process.exitCode = code;
});
