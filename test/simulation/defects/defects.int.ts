/** The simulator finds what it is there to find: every planted defect, within the number of seeds that its table says. */
import { PROCESSES, runSeeds, type SeedReport } from '../run-seeds';
import { simulate } from '../simulate';
import { DEFECTS } from './index';

const LIMIT_MS = 600_000;
let reports: readonly SeedReport[] = [];

beforeAll(async () => {
  const names = [...DEFECTS.keys()];
  const shares = Array.from({ length: PROCESSES }, (_, share) => names.filter((_name, at) => at % PROCESSES === share));
  reports = (await Promise.all(shares.map((share) => runSeeds(share.flatMap((name) => ['--defect', name]))))).flat();
}, LIMIT_MS);

test.each([...DEFECTS].map(([name, { what, foundWithin }]) => ({ name, what, foundWithin })))(
  '$name is found within $foundWithin seeds: $what',
  ({ name, foundWithin }) => {
    const own = reports.filter(({ defect }) => defect === name);
    expect(own.length).toBeLessThanOrEqual(foundWithin);
    expect(own.at(-1)).toMatchObject({ failed: true });
  },
);

test('a defect is gone when its run is over', async () => {
  for (const name of ['forget-a-repeat', 'skip-the-fence', 'read-before-the-token']) await simulate({ seed: 1, defect: name });
  const { breaches } = await simulate({ seed: 1 });
  expect(breaches).toEqual([]);
});
