/**
 * Every process and every server is taken away, in every way that it has to survive. Three lanes run side by side: owners, the other
 * processes, the servers. So one owner at most is away at any time, and a majority remains; an owner that is away while a server is away
 * is part of the plan.
 */
import type { Cast, Lane } from './plan';
import { SeededRandom } from './seeded-random';
import { type Act, ACTS, type Step } from './step';

/** Milliseconds, from and to. */
type Range = readonly [number, number];

const CALM: Range = [2_000, 8_000];
/** The servers are away less often: while MongoDB is away nothing can be served. */
const CALM_OF_SERVERS: Range = [8_000, 20_000];
/** Shorter and longer than every lease (2.4 s and 6 s). */
const AWAY: Range = [200, 9_000];

export function randomLanes(seed: number, cast: Cast): readonly Lane[] {
  const { command, projector, query, scheduler, nats, mongodb, mongodbSurvivesKill } = cast;
  const actsOnMongodb = ACTS.filter((act) => act !== 'kill' || mongodbSurvivesKill);
  const actsOn = (target: string): readonly Act[] => (target === mongodb ? actsOnMongodb : ACTS);
  // The service is drawn first, then the instance: each service is taken away as often as any other.
  const others = [projector, query, scheduler].filter(({ length }) => length > 0);
  const lane = (name: string, groups: readonly (readonly string[])[], calm: Range): Lane => ({
    name,
    steps: { [Symbol.iterator]: () => steps(new SeededRandom(`${seed}/${name}`), groups, actsOn, calm) },
  });
  return [lane('owners', [command], CALM), lane('others', others, CALM), lane('servers', [[nats], [mongodb]], CALM_OF_SERVERS)];
}

function* steps(random: SeededRandom, groups: readonly (readonly string[])[], actsOn: (target: string) => readonly Act[], calm: Range): Generator<Step> {
  for (;;) {
    const target = random.pick(random.pick(groups));
    const act = random.pick(actsOn(target));
    const [calmMs, awayMs] = [random.whole(...calm), random.whole(...AWAY)];
    yield { act, target, calmMs, awayMs: act === 'restart' ? 0 : awayMs };
  }
}
