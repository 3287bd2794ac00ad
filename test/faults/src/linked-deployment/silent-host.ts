import { NO_DEADLINE } from '@sluice/judged-load';
import { type Fault } from '../harness/under-load';

const ASKED = 'command-1';

export const silentHost: Fault = {
  name: 'the host of an owner falls silent while callers wait without a deadline: they are served once another instance owns the partition',
  options: { load: { attemptLimitMs: NO_DEADLINE }, calledInstances: (command) => command.filter(({ name }) => name === ASKED) },
  run: async ({ command, load, owners }) => {
    const silent = command.find(({ name }) => name !== ASKED);
    expect(await owners()).toContain(silent?.name);
    silent?.signal('SIGSTOP');
    try {
      // Also in the partitions that the silent instance owned: their callers wait, and how long counts as a gap.
      await load.moreEverywhere(40);
    } finally {
      silent?.signal('SIGCONT');
    }
  },
};
