/** `sluice bench`: hands its arguments to the bench tool, which knows its scenarios itself. */
import { runBench } from '@sluice/bench';
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import type { ExitCode } from '../exit-code';

export function addBenchCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('bench')
    .description('measure a scenario against real processes')
    .argument('[arguments...]', 'scenario and its options')
    .allowUnknownOption()
    .helpOption(false)
    .addHelpText('after', '\nExamples:\n  sluice bench hot-account\n  sluice bench hot-account --seconds 10 --json\n  sluice bench --help')
    .action(async (_arguments: string[], _options: unknown, command: Command) => {
      surroundings.exit((await runBench(argumentsAfter(command))) as ExitCode);
    });
}

/** Everything after the word, as it was written: options of the bench may look like options of ours. */
function argumentsAfter(command: Command): string[] {
  let root: Command = command;
  while (root.parent !== null) root = root.parent;
  const written = (root as Command & { rawArgs: string[] }).rawArgs;
  return written.slice(written.indexOf(command.name()) + 1);
}
