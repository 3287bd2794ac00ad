/** Tasks: their settings. */
import { optional, setting } from '../config/setting';
import { text, wholeNumber } from '../config/values';
import type { ServiceCapability } from '../service-capability';

export const serviceCapability = {
  name: 'task',
  settings: {
    taskHandlers: optional(text(), 'none', 'Path of a module whose handlers run tasks in this process ([tasks.md](tasks.md#handlers-in-the-servers-process)).'),
    taskHandlerThreads: setting(wholeNumber(1, 1_000), 4, 'Tasks that the handlers of `taskHandlers` run at once, each in a thread of its own.'),
  },
} as const satisfies ServiceCapability;
