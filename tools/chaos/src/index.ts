/**
 * The chaos runner: `npm run chaos`. docs/running-distributed.md says what it does and how gaps are judged.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Progress } from '@sluice/terminal';
import { chaosRun } from './chaos-run';
import { type ChaosOptions, commandOf, parseOptions, USAGE, UsageError } from './options';
import { ProcessLogs } from './process-logs';
import { reportText } from './report';

export type { ChaosReport } from './report';

const EXIT_WHOLE = 0;
const EXIT_NOT_WHOLE = 1;
const EXIT_USAGE = 2;
const EXIT_INSISTED = 130;
/** Ctrl-C comes twice in the same moment, from the terminal and from npm; only a later one insists. */
const INSISTING_AFTER_MS = 1_000;

/** Runs a plan; resolves with the exit code. */
export async function runChaos(argv: readonly string[]): Promise<number> {
  try {
    const { help, options } = parseOptions(argv, () => randomBytes(4).readUInt32BE(0));
    if (help) {
      process.stdout.write(`${USAGE}\n`);
      return EXIT_WHOLE;
    }
    return await run(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    return EXIT_USAGE;
  }
}

async function run(options: ChaosOptions): Promise<number> {
  const progress = new Progress();
  const folder = options.logs === undefined ? mkdtempSync(join(tmpdir(), 'sluice-chaos-')) : resolve(options.logs);
  mkdirSync(folder, { recursive: true });
  const processLogs = new ProcessLogs(folder);
  const stopping = stopRequest(progress);
  let keep = options.logs !== undefined;
  progress.line(`${commandOf(options)}   (what the processes say: ${folder})`);
  try {
    const report = await chaosRun({
      ...options,
      folder,
      processLogs,
      stopping,
      line: (text) => progress.line(text),
      status: (text) => progress.status(text),
    });
    progress.clear();
    keep ||= !report.whole;
    const forPeople = options.json ? process.stderr : process.stdout;
    forPeople.write(`\n${reportText(report, options, keep ? folder : undefined)}\n`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...report, command: commandOf(options), logs: keep ? folder : null })}\n`);
    return report.whole ? EXIT_WHOLE : EXIT_NOT_WHOLE;
  } catch (error) {
    progress.clear();
    keep = true;
    process.stderr.write(
      `the run ended early: ${(error as Error).message}\nrepeat it with: ${commandOf(options)}\nwhat the processes and servers said is in ${folder}\n`,
    );
    return EXIT_NOT_WHOLE;
  } finally {
    await processLogs.close();
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
}

/** Aborts at the first Ctrl-C; a later one ends this process, and with it everything that it started. */
function stopRequest(progress: Progress): AbortSignal {
  const request = new AbortController();
  let askedAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (request.signal.aborted) {
        if (Date.now() - askedAtMs > INSISTING_AFTER_MS) process.exit(EXIT_INSISTED);
        return;
      }
      askedAtMs = Date.now();
      progress.line('ending the faults, then judging; once more to stop at once');
      request.abort();
    });
  }
  return request.signal;
}
