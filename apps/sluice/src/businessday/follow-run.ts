/** Follows an end of day: a live screen with a bar for each step on a terminal, a line per change elsewhere, an object per change for machines. */
import { type BatchRun, SluiceError, type SluiceClient } from '@sluice/client';
import type { Surroundings } from '../connection';
import { EXIT, type ExitCode } from '../exit-code';
import { LiveScreen } from '../live-screen';
import type { Output, Screen } from '../output';
import { changeLines, progressLines } from './run-progress';

const DEFAULT_COLUMNS = 100;
/** The run of the next date is looked for so often. */
const LOOK_MS = 50;
/** A server that went away is called again so often, for so long since something was seen. */
const RECONNECT_MS = 250;
const AWAY_MS = 60_000;

/**
 * Shows a run until it has ended, waits for a further goal, or Ctrl-C; then the runs that follow it.
 * @param untilDate the last date whose run is followed; undefined: one run.
 * @returns EXIT.refused where a run waits because accounts are set aside.
 */
export async function followRuns(
  { client, output, surroundings }: { readonly client: SluiceClient; readonly output: Output; readonly surroundings: Surroundings },
  runId: string,
  untilDate?: string,
): Promise<ExitCode> {
  const { interrupted, terminal } = surroundings;
  for (let next = runId; ; ) {
    const last = await showRun(untilStill(watched(client, next, interrupted)), output, terminal.results);
    if (last === undefined || interrupted.aborted) return EXIT.done;
    if (last.state === 'WAITING' && last.setAsideCount > 0) return EXIT.refused;
    if (last.state !== 'ENDED' || untilDate === undefined || last.nextDate > untilDate) return EXIT.done;
    next = `${last.branchId}/${last.nextDate}`;
    if (!(await untilBegun(client, next, interrupted))) return EXIT.done;
  }
}

/** Shows what comes until there is no more. @returns what came last. */
export async function showRun(seen: AsyncIterable<BatchRun>, output: Output, screen: Screen): Promise<BatchRun | undefined> {
  const live = output.json || screen.isTTY !== true ? undefined : new LiveScreen(screen);
  let last: BatchRun | undefined;
  for await (const run of seen) {
    if (output.json) output.object(run);
    else if (live !== undefined) live.draw(progressLines(run, screen.columns ?? DEFAULT_COLUMNS));
    else for (const line of changeLines(last, run)) output.line(line);
    last = run;
  }
  return last;
}

/** The run as it changes, also over a restart of the server: the run itself goes on then. */
export async function* watched(client: SluiceClient, runId: string, signal?: AbortSignal): AsyncGenerator<BatchRun, void, undefined> {
  for (let seenAtMs = Date.now(); ; ) {
    try {
      for await (const run of client.businessDays.watchRun(runId, { signal })) {
        seenAtMs = Date.now();
        yield run;
      }
      return;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'UNAVAILABLE' || Date.now() - seenAtMs > AWAY_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

/** Until it has ended, or waits for a further goal: that may take days. */
export async function* untilStill(seen: AsyncIterable<BatchRun>): AsyncGenerator<BatchRun, void, undefined> {
  for await (const run of seen) {
    yield run;
    if (run.state === 'WAITING' || run.state === 'ENDED') return;
  }
}

/** The run of the next date begins by itself, a moment later. @returns false: interrupted before. */
async function untilBegun(client: SluiceClient, runId: string, interrupted: AbortSignal): Promise<boolean> {
  while (!interrupted.aborted) {
    try {
      await client.businessDays.getRun(runId);
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason !== 'BATCH_RUN_NOT_FOUND') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return false;
}
