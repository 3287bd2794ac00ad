import { testFault } from './harness/under-load';

const FIGHT_MS = 5_000;

testFault(
  'two owners of every partition at once: each throws the other out of the log, and no commit of both stands',
  // Leases of another deployment: the second one does not see that the first one owns everything.
  { environmentOf: (name) => ({ SLUICE_DEPLOYMENT: name === 'command-2' ? 'other' : 'main' }) },
  async ({ load, command, projector, calls }) => {
    await new Promise((resolve) => setTimeout(resolve, FIGHT_MS));
    await command[1]?.stop();
    await load.more(500);
    const epochs = await calls.epochs(projector[0]?.address ?? '', 0);
    expect(new Set(epochs).size).toBeGreaterThan(1);
    expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
  },
);
