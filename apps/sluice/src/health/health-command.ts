/** `sluice health`: hands its arguments to the health probe, which container images also run as a program of its own. */
import { runHealthProbe } from '@sluice/service';
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import type { ExitCode } from '../exit-code';
import { argumentsAfter } from '../raw-arguments';

export function addHealthCommand(program: Command, { environment, exit, terminal }: Surroundings): void {
  program
    .command('health')
    .description('ask the server that the environment configures whether it serves')
    .argument('[arguments...]', 'service and options')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (_arguments: string[], _options: unknown, command: Command) => {
      const output = {
        result: (line: string) => void terminal.results.write(`${line}\n`),
        problem: (line: string) => void terminal.messages.write(`${line}\n`),
      };
      exit((await runHealthProbe(argumentsAfter(command), environment, output)) as ExitCode);
    });
}
