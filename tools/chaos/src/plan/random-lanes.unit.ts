import { type Cast, lanesOf, type PlanName } from './plan';
import { ACTS, type Step } from './step';

const CAST: Cast = {
  command: ['command-1', 'command-2', 'command-3'],
  projector: ['projector-1', 'projector-2'],
  query: ['query-1', 'query-2'],
  scheduler: ['scheduler-1', 'scheduler-2'],
  nats: 'nats',
  mongodb: 'mongodb',
  mongodbSurvivesKill: false,
};

function firstSteps(plan: PlanName, seed: number, count: number, cast = CAST): Step[][] {
  return lanesOf(plan, seed, cast).map(({ steps }) => {
    const iterator = steps[Symbol.iterator]();
    return Array.from({ length: count }, () => iterator.next().value as Step);
  });
}

test('the same seed draws the same steps, another one others', () => {
  expect(firstSteps('random', 7, 50)).toEqual(firstSteps('random', 7, 50));
  expect(firstSteps('random', 7, 50)).not.toEqual(firstSteps('random', 8, 50));
});

test('every process and every server is taken away in every way', () => {
  const done = new Set(firstSteps('random', 1, 500).flatMap((steps) => steps.map(({ act, target }) => `${act} ${target}`)));
  const targets = [...CAST.command, ...CAST.projector, ...CAST.query, ...CAST.scheduler, 'nats', 'mongodb'];
  const wanted = targets.flatMap((target) => ACTS.map((act) => `${act} ${target}`)).filter((step) => step !== 'kill mongodb');
  expect([...done].sort()).toEqual(wanted.sort());
});

test('MongoDB is killed only where it writes synchronously', () => {
  const done = firstSteps('random', 1, 500, { ...CAST, mongodbSurvivesKill: true }).flat();
  expect(done.filter(({ act, target }) => act === 'kill' && target === 'mongodb').length).toBeGreaterThan(0);
});

test('owners, other processes and servers have a lane each, so that one owner at most is away', () => {
  const [owners, others, servers] = firstSteps('random', 3, 200).map((steps) => [...new Set(steps.map(({ target }) => target))].sort());
  expect(owners).toEqual(CAST.command);
  expect(others).toEqual([...CAST.projector, ...CAST.query, ...CAST.scheduler].sort());
  expect(servers).toEqual(['mongodb', 'nats']);
});

test('uptime kills owners and nothing else', () => {
  const [owners, ...others] = firstSteps('uptime', 1, 20);
  expect(others).toEqual([]);
  expect(owners?.every(({ act, target }) => act === 'kill' && CAST.command.includes(target))).toBe(true);
});
