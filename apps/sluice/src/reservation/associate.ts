/** `sluice reservation associate` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT } from '../exit-code';
import { againText } from '../output';

interface AssociateOptions {
  readonly park?: number;
  readonly note?: string;
  readonly requestId?: string;
}

export function addAssociateCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('associate')
    .description('associate with a number of an identity, or with the first that is reserved')
    .argument('<identity>')
    .argument('[number]', 'default: the first number of the identity, in order of reservation, that is RESERVED')
    .option('--park <milliseconds>', 'how long it may wait for a number (default: one hour)', wholeNumber)
    .option('--note <text>', 'for people')
    .option('--request-id <id>', 'id of this request, unique in the identity; made when not given')
    .addHelpText(
      'after',
      `
A request that comes before its reservation is PARKED, and is applied when the number is there. The same request id asks again where it stands.
The exit code is 1 if it is REJECTED or EXPIRED.

Examples:
  sluice reservation associate ada
  sluice reservation associate ada H1 --park 60000`,
    )
    .action((identityId: string, number: string | undefined, { park: parkMs, note, requestId }: AssociateOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const associated = await client.reservations.associate({ identityId, number, parkMs, note, requestId });
        const { state } = associated;
        output.thing(associated, [
          ['identity', identityId],
          ['state', state ?? 'forgotten'],
          ['number', associated.number],
          ['reason', associated.reason],
          ['request id', associated.requestId],
          againText(associated),
        ]);
        return state === 'REJECTED' || state === 'EXPIRED' ? EXIT.refused : EXIT.done;
      }),
    );
}
