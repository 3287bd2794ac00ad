/** `sluice counter …` */
import type { Command } from 'commander';
import { minorUnits } from '../argument';
import { type Surroundings, withClient } from '../connection';

export function addCounterCommand(program: Command, surroundings: Surroundings): void {
  const counter = program.command('counter').description('add to counters, read them').addHelpText('after', '\nExample:\n  sluice counter add visits 5');
  counter
    .command('add')
    .description('add to a counter; the first addition makes it')
    .argument('<counter>')
    .argument('<amount>', 'a whole number; below zero takes away', minorUnits)
    .option('--request-id <id>', 'id of this request; made when not given')
    .action((counterId: string, amount: bigint, options: { readonly requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const result = await client.counters.add(counterId, amount, options);
        output.thing(result, [
          ['value', result.value],
          ['request id', result.requestId],
          ['repeated', result.repeated ? 'yes: this is the first answer again' : undefined],
        ]);
      }),
    );
  counter
    .command('get')
    .description('show a counter')
    .argument('<counter>')
    .action((counterId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.counters.get(counterId);
        output.thing(found, [
          ['counter', found.counterId],
          ['value', found.value],
          ['additions', found.additions],
        ]);
      }),
    );
}
