/** `sluice reservation get | list | identity | parked | watch` */
import { RESERVATION_STATES, type ReservationState } from '@sluice/client';
import { type Command, Option } from 'commander';
import { dateOf, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { firstOf, pageOf } from '../listing';
import { changeText, PARKED_COLUMNS, RESERVATION_COLUMNS, reservationPairs, userPairs } from './reservation-view';

const DEFAULT_SHOWN = 100;

interface ListOptions {
  readonly identity?: string;
  readonly resource?: string;
  readonly state?: ReservationState;
  readonly from?: number;
  readonly before?: number;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

export function addReadCommands(reservation: Command, surroundings: Surroundings): void {
  addGetCommand(reservation, surroundings);
  addListCommand(reservation, surroundings);
  addIdentityCommand(reservation, surroundings);
  addParkedCommand(reservation, surroundings);
  addWatchCommand(reservation, surroundings);
}

function addGetCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('get')
    .description('show a reservation')
    .argument('<number>')
    .action((number: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.reservations.get(number);
        output.thing(found, reservationPairs(found));
      }),
    );
}

function addListCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('list')
    .description('list reservations, the newest first')
    .option('--identity <identity>', 'only of this identity')
    .option('--resource <resource>', 'only of this resource')
    .addOption(new Option('--state <state>', 'only this state').choices([...RESERVATION_STATES]))
    .option('--from <time>', 'only those reserved at this time or later (ISO 8601)', timeUs)
    .option('--before <time>', 'only those reserved before this time (ISO 8601)', timeUs)
    .option('--oldest-first', 'oldest first')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .addHelpText('after', '\nExamples:\n  sluice reservation list --identity ada\n  sluice reservation list --resource hall --state RESERVED --limit 0')
    .action((options: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { identity: identityId, resource: resourceId, state, from, before, oldestFirst, limit } = options;
        const filter = { identityId, resourceId, state, reservedFrom: dateOf(from), reservedBefore: dateOf(before), newestFirst: oldestFirst !== true };
        output.table(await firstOf(limit, client.reservations.list(filter, pageOf(limit))), RESERVATION_COLUMNS);
      }),
    );
}

function addIdentityCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('identity')
    .description('show where an identity stands: its reservations that are not over, in order of reservation, and the one that was over last')
    .argument('<identity>')
    .action((identityId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.reservations.userState(identityId);
        output.thing(found, userPairs(identityId, found));
      }),
    );
}

function addParkedCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('parked')
    .description('list associate requests that wait for their number, the oldest first')
    .argument('[identity]', 'only of this identity')
    .option('--newest-first', 'newest first')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .action((identityId: string | undefined, { newestFirst, limit }: { readonly newestFirst?: boolean; readonly limit: number }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        output.table(await firstOf(limit, client.reservations.parked({ identityId, newestFirst }, pageOf(limit))), PARKED_COLUMNS);
      }),
    );
}

function addWatchCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('watch')
    .description('show a reservation now and after every change, until it is over and its money has arrived, or Ctrl-C')
    .argument('<number>')
    .action((number: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        for await (const seen of client.reservations.watch(number, { signal: surroundings.interrupted })) {
          if (output.json) output.object(seen);
          else output.line(changeText(seen));
        }
      }),
    );
}
