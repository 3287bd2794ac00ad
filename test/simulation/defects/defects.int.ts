/** The simulator finds what it is there to find: every planted defect, within the number of seeds that its table says. */
import { simulate } from '../simulate';
import { DEFECTS, type DefectName } from './index';

jest.setTimeout(120_000);

test.each(Object.entries(DEFECTS).map(([name, { what, foundWithin }]) => ({ name: name as DefectName, what, foundWithin })))(
  '$name is found within $foundWithin seeds: $what',
  async ({ name, foundWithin }) => {
    for (let seed = 1; seed <= foundWithin; seed += 1) {
      const { breaches } = await simulate({ seed, defect: name });
      if (breaches.length > 0) return;
    }
    throw new Error(`${foundWithin} seeds do not show it`);
  },
);

test('a defect is gone when its run is over', async () => {
  for (const name of Object.keys(DEFECTS) as DefectName[]) await simulate({ seed: 1, defect: name });
  const { breaches } = await simulate({ seed: 1 });
  expect(breaches).toEqual([]);
});
