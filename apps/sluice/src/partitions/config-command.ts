/** `sluice config partitions`: which configurations make a number of partitions. */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import type { Surroundings } from '../connection';
import { UsageError } from '../exit-code';
import { Output } from '../output';

const MINIMUM_PARTITIONS = 2;
const MAXIMUM_PARTITIONS = 4_096;

export interface Layout {
  readonly servers: number;
  readonly containers: number;
}

/** All pairs whose product is the number, fewest servers first. */
export function layoutsOf(partitions: number): Layout[] {
  return Array.from({ length: partitions }, (_, index) => index + 1)
    .filter((servers) => partitions % servers === 0)
    .map((servers) => ({ servers, containers: partitions / servers }));
}

export function addConfigCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('config')
    .description('questions about the configuration')
    .addHelpText('after', '\nExample:\n  sluice config partitions 12')
    .command('partitions')
    .description('list which servers × containers make a number of partitions: data made with one of them opens with every other')
    .argument('<number>', `number of partitions, ${MINIMUM_PARTITIONS} to ${MAXIMUM_PARTITIONS}`, wholeNumber)
    .addHelpText('after', '\nExample:\n  sluice config partitions 12')
    .action((partitions: number, _options: unknown, command: Command) => {
      if (partitions < MINIMUM_PARTITIONS || partitions > MAXIMUM_PARTITIONS)
        throw new UsageError(`there are ${MINIMUM_PARTITIONS} to ${MAXIMUM_PARTITIONS} partitions, not ${partitions}`);
      new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true).table(layoutsOf(partitions), {
        SLUICE_SERVERS: (row) => row.servers,
        SLUICE_CONTAINERS: (row) => row.containers,
      });
    });
}
