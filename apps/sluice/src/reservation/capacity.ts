/** `sluice reservation capacity` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';

export function addCapacityCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('capacity')
    .description('set how many places a resource has; the first time makes it')
    .argument('<resource>')
    .argument('<places>', '1 or more; not fewer than are taken', wholeNumber)
    .option('--request-id <id>', 'id of this request, unique in the resource; made when not given')
    .addHelpText('after', '\nExample:\n  sluice reservation capacity hall 100')
    .action((resourceId: string, places: number, { requestId }: { readonly requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const set = await client.reservations.setCapacity(resourceId, places, requestId);
        output.thing(set, [
          ['resource', resourceId],
          ['capacity', places],
          ['taken', set.taken],
          ['waiting', set.waiting],
          ['request id', set.requestId],
          againText(set),
        ]);
      }),
    );
}
