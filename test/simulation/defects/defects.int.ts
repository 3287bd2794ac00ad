/** The simulator finds what it is there to find: every planted defect, within the number of seeds that its table says. */
import { runSeeds } from '../run-seeds';
import { simulate } from '../simulate';
import { DEFECTS, type DefectName } from './index';

const LIMIT_MS = 600_000;

test.each(Object.entries(DEFECTS).map(([name, { what, foundWithin }]) => ({ name, what, foundWithin })))(
  '$name is found within $foundWithin seeds: $what',
  async ({ name, foundWithin }) => {
    const reports = await runSeeds(['--defect', name, '--seeds', String(foundWithin)]);
    expect(reports.at(-1)).toMatchObject({ failed: true });
  },
  LIMIT_MS,
);

test('a defect is gone when its run is over', async () => {
  for (const name of ['forget-a-repeat', 'skip-the-fence', 'read-before-the-token'] satisfies DefectName[]) await simulate({ seed: 1, defect: name });
  const { breaches } = await simulate({ seed: 1 });
  expect(breaches).toEqual([]);
});
