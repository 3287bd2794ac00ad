/** Reservations, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addReservationCommand } from './reservation-command';

export const cliCapability: CliCapability = { name: 'reservation', addCommands: addReservationCommand };
