import { NO_DEADLINE } from '@sluice/judged-load';
import { testFault } from './harness/under-load';

/** Longer than every limit of a hop that a deadline does not bound. */
const SILENT_MS = 15_000;
const ASKED = 'command-1';

testFault(
  'the host of an owner falls silent while callers wait without a deadline: they are served once another instance owns the partition',
  { load: { attemptLimitMs: NO_DEADLINE }, calledInstances: (command) => command.filter(({ name }) => name === ASKED) },
  async ({ command, load, holderOf }) => {
    const silent = command.find(({ name }) => name !== ASKED);
    const owners = await Promise.all([0, 1, 2, 3].map((partition) => holderOf(`command/${partition}`)));
    expect(owners).toContain(silent?.name);
    silent?.signal('SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, SILENT_MS));
      await load.moreEverywhere(40);
    } finally {
      silent?.signal('SIGCONT');
    }
  },
);
