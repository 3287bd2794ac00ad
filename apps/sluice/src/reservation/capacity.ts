/** `sluice reservation capacity` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';
import { resourcePairs } from './reservation-view';

export function addCapacityCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('capacity')
    .description('show how many places a resource has, or set it; the first time makes it')
    .argument('<resource>')
    .argument('[places]', '1 or more; not fewer than are taken (default: show)', wholeNumber)
    .option('--request-id <id>', 'id of this request, unique in the resource; made when not given')
    .addHelpText('after', '\nExamples:\n  sluice reservation capacity hall 100\n  sluice reservation capacity hall')
    .action((resourceId: string, places: number | undefined, { requestId }: { readonly requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        if (places === undefined) {
          const found = await client.reservations.capacity(resourceId);
          output.thing(found, resourcePairs(found));
          return;
        }
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
