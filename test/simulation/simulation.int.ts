/** The deployment under faults, seed by seed; and the simulator itself: the same seed gives the same run. */
import { simulate, type Outcome } from './simulate';

const SEEDS = 200;
const PER_TEST = 25;

jest.setTimeout(120_000);

const chunks = Array.from({ length: SEEDS / PER_TEST }, (_, chunk) => chunk * PER_TEST + 1);

test.each(chunks)('nothing breaks under 25 seeds from %d on', async (first) => {
  for (let seed = first; seed < first + PER_TEST; seed += 1) {
    const outcome = await simulate({ seed });
    expect(failureOf(outcome)).toBeUndefined();
  }
});

test('a seed gives the same run again, event by event', async () => {
  for (const seed of [2, 32, 85]) {
    const first = await simulate({ seed });
    const second = await simulate({ seed });
    expect({ digest: second.digest, events: second.events }).toEqual({ digest: first.digest, events: first.events });
  }
});

function failureOf({ seed, breaches, trace }: Outcome): string | undefined {
  if (breaches.length === 0) return undefined;
  return `npm run simulate -- --seed ${seed} --trace\n${breaches.join('\n')}\n${trace.slice(-30).join('\n')}`;
}
