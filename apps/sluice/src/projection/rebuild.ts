/** `sluice rebuild`: the read store anew from the log, while the old one serves. */
import type { RebuildProgress } from '@sluice/client';
import type { Command } from 'commander';
import { type Surroundings, withClient } from '../connection';
import { EXIT, PlainFailure } from '../exit-code';

export function addRebuildCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('rebuild')
    .description('fill a fresh copy of the read store from the log and switch over to it; reads go on')
    .addHelpText('after', '\nExample:\n  sluice rebuild')
    .action((_options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const bar = output.progress('rebuilding', 0);
        let last: RebuildProgress | undefined;
        try {
          for await (const progress of client.projection.rebuild({ signal: surroundings.interrupted })) {
            bar.total(Number(progress.totalCommits));
            bar.at(Number(progress.doneCommits));
            last = progress;
          }
        } finally {
          bar.end();
        }
        if (last?.switched !== true) throw new PlainFailure('the rebuild ended before it had switched over; the old copy is in force', EXIT.unavailable);
        output.thing(last, [
          ['rebuilt', `${last.doneCommits} commits`],
          ['copy in force', last.copy],
        ]);
      }),
    );
}
