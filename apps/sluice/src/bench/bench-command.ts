/** `sluice bench`: hands its arguments to the bench tool, which knows its scenarios itself. */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import type { ExitCode } from '../exit-code';
import { argumentsAfter } from '../raw-arguments';
import { workspaceTool } from '../workspace-tool';

export function addBenchCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('bench')
    .description('measure a scenario against real processes')
    .argument('[arguments...]', 'scenario and its options')
    .allowUnknownOption()
    .helpOption(false)
    .addHelpText('after', '\nExamples:\n  sluice bench hot-account\n  sluice bench hot-account --seconds 10 --json\n  sluice bench --help')
    .action(async (_arguments: string[], _options: unknown, command: Command) => {
      const { runBench } = await workspaceTool('@sluice/bench', () => import('@sluice/bench'));
      surroundings.exit((await runBench(argumentsAfter(command))) as ExitCode);
    });
}
