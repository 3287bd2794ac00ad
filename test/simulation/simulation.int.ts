/** The deployment under faults, seed by seed; and the simulator itself: the same seed gives the same run. */
import { runRange, runSeeds } from './run-seeds';

const SEEDS = 200;
const LIMIT_MS = 600_000;

test(
  `nothing breaks under ${SEEDS} seeds`,
  async () => {
    const reports = await runRange(1, SEEDS);
    expect(reports.map(({ seed }) => seed)).toEqual(Array.from({ length: SEEDS }, (_, at) => at + 1));
    const failures = reports.filter(({ failed }) => failed).map(({ seed, breaches }) => `npm run simulate -- --seed ${seed} --trace: ${breaches.join('; ')}`);
    expect(failures).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'a seed gives the same run again, event by event, whatever ran before it in its process',
  async () => {
    const [alone, after] = await Promise.all([runSeeds(['--seed', '33', '--seeds', '2']), runSeeds(['--seed', '31', '--seeds', '4'])]);
    expect(alone).toEqual(after.slice(2));
  },
  LIMIT_MS,
);
