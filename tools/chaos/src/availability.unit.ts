import { Availability } from './availability';
import type { Cast } from './plan/plan';
import type { Act } from './plan/step';

const CAST: Cast = {
  command: ['command-1', 'command-2', 'command-3'],
  projector: ['projector-1'],
  query: ['query-1'],
  scheduler: [],
  nats: 'nats',
  mongodb: 'mongodb',
  mongodbSurvivesKill: false,
};
const OWNERS = ['command-1', 'command-2', 'command-3', undefined];

/** Plays "ACT NAME" and "back NAME". */
function availabilityAfter(script: readonly string[]): Availability {
  const availability = new Availability(CAST, OWNERS.length);
  availability.ownersAre(OWNERS);
  for (const [index, line] of script.entries()) {
    const [event, name] = line.split(' ') as [Act | 'back', string];
    if (event === 'back') availability.isBack(name, index);
    else availability.goesAway(name, event);
  }
  return availability;
}

test.each`
  what                                                       | script                                                                         | orphaned
  ${'nothing is away'}                                       | ${[]}                                                                          | ${[]}
  ${'one owner'}                                             | ${['kill command-1']}                                                          | ${[]}
  ${'every owner'}                                           | ${['kill command-1', 'pause command-2', 'stop command-3']}                     | ${[0, 1, 2, 3]}
  ${'MongoDB'}                                               | ${['pause mongodb']}                                                           | ${[0, 1, 2, 3]}
  ${'MongoDB that is back'}                                  | ${['stop mongodb', 'back mongodb']}                                            | ${[]}
  ${'NATS: owners go on; what has no owner gets none'}       | ${['kill nats']}                                                               | ${[3]}
  ${'NATS, then an owner'}                                   | ${['kill nats', 'kill command-1']}                                             | ${[0, 3]}
  ${'an owner, then NATS'}                                   | ${['kill command-1', 'kill nats']}                                             | ${[0, 3]}
  ${'an owner that was killed and runs again, without NATS'} | ${['kill nats', 'kill command-1', 'back command-1']}                           | ${[0, 3]}
  ${'an owner that was paused and goes on, without NATS'}    | ${['kill nats', 'pause command-1', 'back command-1']}                          | ${[3]}
  ${'NATS is back, the owner is not'}                        | ${['kill nats', 'kill command-1', 'back nats']}                                | ${[]}
  ${'NATS goes again after the owner came back'}             | ${['kill nats', 'kill command-1', 'back nats', 'back command-1', 'kill nats']} | ${[3]}
  ${'a projector'}                                           | ${['kill projector-1']}                                                        | ${[]}
`('$what: partitions $orphaned cannot be served', ({ script, orphaned }: { script: string[]; orphaned: number[] }) => {
  expect(availabilityAfter(script).orphaned).toEqual(orphaned);
});

test('owners are not believed while NATS is away', () => {
  const availability = availabilityAfter(['kill nats', 'kill command-1']);
  availability.ownersAre(['command-2', 'command-2', 'command-2', 'command-2']);
  expect(availability.isOrphaned(0)).toBe(true);
});

test.each`
  what                       | script                                                | since
  ${'nothing was ever away'} | ${[]}                                                 | ${0}
  ${'an owner is away'}      | ${['kill command-1']}                                 | ${0}
  ${'NATS is away'}          | ${['kill nats']}                                      | ${0}
  ${'a projector is away'}   | ${['kill projector-1']}                               | ${undefined}
  ${'a projector is back'}   | ${['kill projector-1', 'back projector-1']}           | ${1}
  ${'MongoDB is back'}       | ${['stop mongodb', 'kill command-1', 'back mongodb']} | ${2}
  ${'a query is away still'} | ${['kill query-1', 'stop mongodb', 'back mongodb']}   | ${undefined}
`('$what: projectable since $since', ({ script, since }: { script: string[]; since: number | undefined }) => {
  expect(availabilityAfter(script).projectableSince).toBe(since);
});
