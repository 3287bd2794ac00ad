/** The deployment under faults, seed by seed; and the simulator itself: the same seed gives the same run. */
import { runSeeds } from './run-seeds';

/** A seed takes 0.8 s of a processor: `npm run simulate -- --seeds 200` runs more. */
const SEEDS = 100;
const LIMIT_MS = 600_000;

test(
  `nothing breaks under ${SEEDS} seeds`,
  async () => {
    const reports = await runSeeds(['--seed', '1', '--seeds', String(SEEDS)]);
    expect(reports).toHaveLength(SEEDS);
    const failures = reports.filter(({ failed }) => failed).map(({ seed, breaches }) => `npm run simulate -- --seed ${seed} --trace: ${breaches.join('; ')}`);
    expect(failures).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'a seed gives the same run again, event by event',
  async () => {
    const range = ['--seed', '31', '--seeds', '4'];
    expect(await runSeeds(range)).toEqual(await runSeeds(range));
  },
  LIMIT_MS,
);
