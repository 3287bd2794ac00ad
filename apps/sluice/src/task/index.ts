/** Tasks, as the command line plugs them in. */
import type { CliCapability } from '../cli-capability';
import { addQueueCommand } from './queue-command';
import { addScheduleCommand } from './schedule-command';
import { addTaskCommand } from './task-command';
import { addWorkerCommand } from './worker-command';

export const cliCapability: CliCapability = {
  name: 'task',
  addCommands: (program, surroundings) => {
    addTaskCommand(program, surroundings);
    addQueueCommand(program, surroundings);
    addScheduleCommand(program, surroundings);
    addWorkerCommand(program, surroundings);
  },
};
