/** Business days, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addDayCommand } from './day-command';
import { addProductCommand } from './product-command';

export const cliCapability: CliCapability = {
  name: 'businessday',
  addCommands: (program, surroundings) => {
    addDayCommand(program, surroundings);
    addProductCommand(program, surroundings);
  },
};
