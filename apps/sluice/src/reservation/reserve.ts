/** `sluice reservation reserve` */
import type { MoneyHold } from '@sluice/client';
import type { Command } from 'commander';
import { dateOf, minorUnits, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT, UsageError } from '../exit-code';
import { againText } from '../output';

interface ReserveOptions extends MoneyOptions {
  readonly resource?: string;
  readonly places?: number;
  readonly wait?: boolean;
  readonly expiresAt?: number;
  readonly expiresIn?: number;
  readonly note?: string;
  readonly requestId?: string;
}

interface MoneyOptions {
  readonly hold?: bigint;
  readonly unit?: string;
  readonly account?: string;
  readonly payee?: string;
}

const MS_PER_SECOND = 1_000;

export function addReserveCommand(reservation: Command, surroundings: Surroundings): void {
  reservation
    .command('reserve')
    .description('reserve a number for an identity')
    .argument('<identity>', 'for whom')
    .argument('<number>', 'of the reservation; a number is used once')
    .option('--resource <resource>', 'take places of this resource')
    .option('--places <count>', 'so many (default 1)', wholeNumber)
    .option('--wait', 'where the resource is full: wait in order of arrival (default: be rejected)')
    .option('--expires-at <time>', 'when it expires unless it is associated (ISO 8601; default: never)', timeUs)
    .option('--expires-in <seconds>', 'the same, from now', wholeNumber)
    .option('--hold <amount>', 'money that an account holds until it is completed or over, in minor units', minorUnits)
    .option('--unit <unit>', 'of that money')
    .option('--account <account>', 'that holds it')
    .option('--payee <account>', 'that gets it when the reservation is completed')
    .option('--note <text>', 'for people')
    .option('--request-id <id>', 'id of this request, unique in the identity; made when not given')
    .addHelpText(
      'after',
      `
The exit code is 1 if it is REJECTED. PENDING goes on by itself; the same request id asks again where it stands.

Examples:
  sluice reservation reserve ada H1
  sluice reservation reserve ada H2 --resource hall --places 2 --wait
  sluice reservation reserve ada H3 --expires-in 900
  sluice reservation reserve ada H4 --hold 2500 --unit EUR --account wallet-1 --payee hotel`,
    )
    .action((identityId: string, number: string, options: ReserveOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { resource: resourceId, places, wait: waitForPlace, note, requestId } = options;
        const terms = { resourceId, places, waitForPlace, expiresAt: expiryOf(options), money: moneyOf(options), note };
        const reserved = await client.reservations.reserve({ identityId, number, requestId, ...terms });
        output.thing(reserved, [
          ['number', number],
          ['identity', identityId],
          ['state', reserved.state ?? 'forgotten'],
          ['waiting', reserved.waiting ? 'yes, for a place' : undefined],
          ['reason', reserved.reason],
          ['request id', reserved.requestId],
          againText(reserved),
        ]);
        return reserved.state === 'REJECTED' ? EXIT.refused : EXIT.done;
      }),
    );
}

/** Undefined: never. */
export function expiryOf({ expiresAt, expiresIn }: Pick<ReserveOptions, 'expiresAt' | 'expiresIn'>): Date | undefined {
  if (expiresAt !== undefined && expiresIn !== undefined) throw new UsageError('--expires-at and --expires-in exclude each other');
  if (expiresIn === undefined) return dateOf(expiresAt);
  const time = new Date(Date.now() + expiresIn * MS_PER_SECOND);
  if (Number.isNaN(time.getTime())) throw new UsageError('--expires-in is too far away');
  return time;
}

function moneyOf({ hold, unit, account, payee }: MoneyOptions): MoneyHold | undefined {
  if (hold === undefined && unit === undefined && account === undefined && payee === undefined) return undefined;
  if (hold === undefined || unit === undefined || account === undefined || payee === undefined)
    throw new UsageError('--hold, --unit, --account and --payee belong together');
  return { amountMinor: hold, unit, accountId: account, payeeAccountId: payee };
}
