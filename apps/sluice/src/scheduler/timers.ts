/** `sluice timers list` and `sluice timers redrive`: what is due, and when; timers whose command could not be decided. */
import type { ParkedTimers, TimerFilter, WaitingTimer } from '@sluice/client';
import type { Command } from 'commander';
import { timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { firstOf, pageOf } from '../listing';
import { timeText } from '../output';

const DEFAULT_SHOWN = 100;

interface ListOptions {
  readonly partition?: number;
  readonly capability?: string;
  readonly key?: string;
  readonly until?: number;
  readonly limit: number;
}

export function addTimersCommand(program: Command, surroundings: Surroundings): void {
  const timers = program.command('timers').description('commands that are due at a time');
  timers
    .command('list')
    .description('show the timers that wait: partition by partition, the earliest first')
    .option('--partition <number>', 'only of this partition', wholeNumber)
    .option('--capability <name>', 'only of this capability, like account')
    .option('--key <key>', 'only of the aggregate with this key')
    .option('--until <time>', 'only those that are due then or before (ISO 8601)', timeUs)
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice timers list\n  sluice timers list --capability account --key wallet-1 --limit 0')
    .action(({ until, limit, ...filter }: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const asked: TimerFilter = { ...filter, ...(until !== undefined && { dueUntilUs: until }) };
        const waiting = await firstOf(limit, client.scheduler.timers(asked, pageOf(limit)));
        output.table<WaitingTimer>(waiting, {
          partition: (row) => row.partition,
          due: (row) => timeText(row.dueAtUs),
          capability: (row) => row.capability,
          key: (row) => row.key,
          timer: (row) => row.timerId,
          method: (row) => row.method,
          parked: (row) => (row.parked ? 'yes' : undefined),
        });
      }),
    );
  timers
    .command('redrive')
    .description('try parked timers again, up to 1,000 of each partition')
    .option('--partition <number>', 'only of this partition', wholeNumber)
    .option('--capability <name>', 'only of this capability, like account')
    .option('--key <key>', 'only of the aggregate with this key')
    .addHelpText('after', '\nExamples:\n  sluice timers redrive\n  sluice timers redrive --capability account --key wallet-1')
    .action((parked: ParkedTimers, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const redriven = await client.scheduler.redriveTimers(parked);
        if (output.json) output.object({ redriven });
        else output.line(`${redriven} ${redriven === 1 ? 'timer was' : 'timers were'} tried again`);
      }),
    );
}
