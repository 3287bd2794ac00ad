import { NO_DEADLINE } from '@sluice/judged-load';
import { type Fault } from '../harness/under-load';

/** Longer than every limit of a hop that a deadline does not bound. */
const SILENT_MS = 15_000;
const ASKED = 'command-1';

export const silentHost: Fault = {
  name: 'the host of an owner falls silent while callers wait without a deadline: they are served once another instance owns the partition',
  options: { load: { attemptLimitMs: NO_DEADLINE }, calledInstances: (command) => command.filter(({ name }) => name === ASKED) },
  run: async ({ command, load, owners }) => {
    const silent = command.find(({ name }) => name !== ASKED);
    expect(await owners()).toContain(silent?.name);
    silent?.signal('SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, SILENT_MS));
      await load.moreEverywhere(40);
    } finally {
      silent?.signal('SIGCONT');
    }
  },
};
