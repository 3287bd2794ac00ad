/** `sluice contest watch`: a live scoreboard on a terminal, a line per change elsewhere. */
import type { ContestsClient, WatchedStandings } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import type { Output, Screen } from '../output';
import { LiveScreen } from '../live-screen';
import { scoreboard, scoreLine } from './scoreboard';

const DEFAULT_TOP = 10;
/** Where the terminal does not say how wide it is, or says 0. */
const DEFAULT_COLUMNS = 100;
/** The time left is drawn anew so often. */
const REDRAW_MS = 1_000;

interface WatchCommandOptions {
  readonly top: number;
  readonly side?: string;
}

export function addWatchCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('watch')
    .description('show the scoreboard and every change, until the contest is over or Ctrl-C')
    .argument('<contest>')
    .option('--top <count>', 'so many of the first members, at most 100', wholeNumber, DEFAULT_TOP)
    .option('--side <side>', 'only members of this side')
    .addHelpText('after', '\nOn a terminal a live scoreboard; in a pipe a line per change.\n\nExample:\n  sluice contest watch cup --top 5')
    .action((contestId: string, { top, side }: WatchCommandOptions, command: Command) =>
      withClient(command, surroundings, async ({ contests }, output) => {
        const seen = contests.watchStandings(contestId, { sideId: side, top }, { signal: surroundings.interrupted });
        await showStandings(seen, output, surroundings.terminal.results);
      }),
    );
}

/** Shows what comes until there is no more. */
export async function showStandings(seen: ReturnType<ContestsClient['watchStandings']>, output: Output, screen: Screen): Promise<void> {
  if (output.json || screen.isTTY !== true) {
    for await (const standings of seen) {
      if (output.json) output.object(standings);
      else output.line(scoreLine(standings, Date.now()));
    }
    return;
  }
  const live = new LiveScreen(screen);
  let newest: WatchedStandings | undefined;
  const draw = (): void => {
    if (newest !== undefined) live.draw(scoreboard(newest, screen.columns || DEFAULT_COLUMNS, Date.now()));
  };
  const redrawing = setInterval(draw, REDRAW_MS);
  try {
    for await (const standings of seen) {
      newest = standings;
      draw();
    }
  } finally {
    clearInterval(redrawing);
  }
}
