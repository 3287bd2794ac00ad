/** `sluice reservation complete | cancel | extend` */
import type { ReservationChanged } from '@sluice/client';
import type { Command } from 'commander';
import { timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText, type Output } from '../output';
import { expiryOf } from './reserve';

interface ChangeOptions {
  readonly identity?: string;
  readonly note?: string;
  readonly requestId?: string;
}

interface ExtendOptions extends Omit<ChangeOptions, 'note'> {
  readonly expiresAt?: number;
  readonly expiresIn?: number;
}

export function addChangeCommands(reservation: Command, surroundings: Surroundings): void {
  const change = (name: 'complete' | 'cancel', became: string, description: string): void => {
    reservation
      .command(name)
      .description(description)
      .argument('<number>')
      .option('--identity <identity>', 'only if the number is of this identity')
      .option('--note <text>', 'for people')
      .option('--request-id <id>', 'id of this request, unique in the number; made when not given')
      .addHelpText('after', `\nExample:\n  sluice reservation ${name} H1 --identity ada`)
      .action((number: string, { identity: identityId, ...options }: ChangeOptions, command: Command) =>
        withClient(command, surroundings, async (client, output) => show(output, became, await client.reservations[name](number, { identityId, ...options }))),
      );
  };
  change('complete', 'completed', 'end a reservation that is ASSOCIATED: it keeps its places, its money goes to the payee');
  change('cancel', 'cancelled', 'cancel a reservation: its places and its money are given back');
  reservation
    .command('extend')
    .description('set when a reservation that is PENDING or RESERVED expires')
    .argument('<number>')
    .option('--expires-at <time>', 'the new time (ISO 8601; default: never)', timeUs)
    .option('--expires-in <seconds>', 'the same, from now', wholeNumber)
    .option('--identity <identity>', 'only if the number is of this identity')
    .option('--request-id <id>', 'id of this request, unique in the number; made when not given')
    .addHelpText('after', '\nExamples:\n  sluice reservation extend H1 --expires-in 900\n  sluice reservation extend H1')
    .action((number: string, { identity: identityId, requestId, ...times }: ExtendOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const expiresAt = expiryOf(times);
        const changed = await client.reservations.extendHold(number, expiresAt, { identityId, requestId });
        show(output, expiresAt === undefined ? 'never expires' : `expires at ${expiresAt.toISOString()}`, changed);
      }),
    );
}

function show(output: Output, became: string, changed: ReservationChanged): void {
  output.thing(changed, [['number', `${changed.number} ${became}`], ['request id', changed.requestId], againText(changed)]);
}
