/** `sluice reservation` */
import type { Command } from 'commander';
import type { Surroundings } from '../connection';
import { addAssociateCommand } from './associate';
import { addCapacityCommand } from './capacity';
import { addChangeCommands } from './change';
import { addReadCommands } from './read';
import { addReserveCommand } from './reserve';

export function addReservationCommand(program: Command, surroundings: Surroundings): void {
  const reservation = program
    .command('reservation')
    .description('reserve numbers for identities, with places of a resource; associate with them')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice reservation capacity hall 100\n  sluice reservation reserve ada H1 --resource hall --wait\n  sluice reservation associate ada\n  sluice reservation complete H1\n  sluice reservation list --identity ada',
    );
  addReserveCommand(reservation, surroundings);
  addAssociateCommand(reservation, surroundings);
  addChangeCommands(reservation, surroundings);
  addCapacityCommand(reservation, surroundings);
  addReadCommands(reservation, surroundings);
}
