/** Long uptime with an owner killed once a minute: what grows or runs out with time shows when owners have to be replaced. */
import type { Cast, Lane } from './plan';
import { SeededRandom } from './seeded-random';
import type { Step } from './step';

const BETWEEN_KILLS_MS = 55_000;
const AWAY_MS = 5_000;

export function uptimeLanes(seed: number, { command }: Cast): readonly Lane[] {
  return [{ name: 'owners', steps: { [Symbol.iterator]: () => steps(new SeededRandom(`${seed}`), command) } }];
}

function* steps(random: SeededRandom, command: readonly string[]): Generator<Step> {
  for (;;) yield { act: 'kill', target: random.pick(command), calmMs: BETWEEN_KILLS_MS, awayMs: AWAY_MS };
}
