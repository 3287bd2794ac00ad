/** What a branch decides, row by row, and what its timers do. */
import { BranchWorld, FRIDAY, MONDAY, settings } from '../test/branch-world';
import type { BranchCommand } from './branch';
import { runStateOf, stepOfRun } from './branch-run';

const cut = (date?: number): BranchCommand => ({ kind: 'cut', date });
const runBatch = (date?: number): BranchCommand => ({ kind: 'runBatch', date });
const begin = (date?: number, forcedReason?: string): BranchCommand => ({ kind: 'begin', date, forcedReason });
const endOfDay = (untilDate?: number): BranchCommand => ({ kind: 'endOfDay', untilDate });
const setDates = (date: number): BranchCommand => ({ kind: 'setDates', date, reason: 'moved' });
const HOUR_US = 3_600_000_000;

function registered(rest: Parameters<typeof settings>[0] = {}, accounts: readonly number[] = [3, 0]): BranchWorld {
  const world = new BranchWorld(accounts);
  expect(world.ask({ kind: 'register', settings: settings(rest), onlineDate: FRIDAY })).toBe('accepted');
  world.settle();
  return world;
}

/** By name: what has happened before the command of a row. */
const STANDS: Readonly<Record<string, (world: BranchWorld) => void>> = {
  registered: () => undefined,
  'being cut': (world) => void world.ask(cut()),
  cut: (world) => {
    world.ask(cut());
    world.settle();
  },
  'batch done': (world) => {
    world.ask(cut());
    world.ask(runBatch());
    world.settle();
  },
  'set aside': (world) => {
    world.setAside = 2;
    world.ask(endOfDay());
    world.settle();
  },
  ended: (world) => {
    world.ask(endOfDay());
    world.settle();
  },
};

// The order of the rows is the chain; dates are days from the Friday that the branch begins at.
test.each`
  stands          | command                                                           | answer               | dates      | state
  ${'registered'} | ${{ kind: 'register', settings: settings(), onlineDate: FRIDAY }} | ${'BRANCH_EXISTS'}   | ${'0/0'}   | ${'none'}
  ${'registered'} | ${cut(MONDAY)}                                                    | ${'DATE_NOT_ONLINE'} | ${'0/0'}   | ${'none'}
  ${'registered'} | ${runBatch()}                                                     | ${'DAY_NOT_CUT'}     | ${'0/0'}   | ${'none'}
  ${'registered'} | ${begin()}                                                        | ${'DAY_NOT_CUT'}     | ${'0/0'}   | ${'none'}
  ${'registered'} | ${endOfDay(FRIDAY - 1)}                                           | ${'DATE_NOT_ONLINE'} | ${'0/0'}   | ${'none'}
  ${'registered'} | ${{ kind: 'pause' }}                                              | ${'NO_BATCH_RUN'}    | ${'0/0'}   | ${'none'}
  ${'registered'} | ${{ kind: 'resume' }}                                             | ${'NO_BATCH_RUN'}    | ${'0/0'}   | ${'none'}
  ${'registered'} | ${setDates(FRIDAY + 1)}                                           | ${'INVALID_REQUEST'} | ${'0/0'}   | ${'none'}
  ${'registered'} | ${setDates(FRIDAY + 4)}                                           | ${'accepted'}        | ${'4/4'}   | ${'none'}
  ${'registered'} | ${setDates(FRIDAY - 1)}                                           | ${'accepted'}        | ${'-1/-1'} | ${'none'}
  ${'being cut'}  | ${cut()}                                                          | ${'BATCH_UNDER_WAY'} | ${'3/0'}   | ${'WAITING'}
  ${'being cut'}  | ${cut(FRIDAY)}                                                    | ${'accepted'}        | ${'3/0'}   | ${'WAITING'}
  ${'being cut'}  | ${runBatch()}                                                     | ${'accepted'}        | ${'3/0'}   | ${'WAITING'}
  ${'being cut'}  | ${begin()}                                                        | ${'DAY_NOT_CUT'}     | ${'3/0'}   | ${'WAITING'}
  ${'being cut'}  | ${begin(FRIDAY, 'now')}                                           | ${'DAY_NOT_CUT'}     | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${cut()}                                                          | ${'BATCH_UNDER_WAY'} | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${cut(FRIDAY)}                                                    | ${'accepted'}        | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${runBatch(MONDAY)}                                               | ${'DATE_NOT_BATCH'}  | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${begin()}                                                        | ${'BATCH_NOT_WHOLE'} | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${begin(FRIDAY, 'now')}                                           | ${'BATCH_NOT_WHOLE'} | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${setDates(MONDAY)}                                               | ${'BATCH_UNDER_WAY'} | ${'3/0'}   | ${'WAITING'}
  ${'cut'}        | ${{ kind: 'pause' }}                                              | ${'accepted'}        | ${'3/0'}   | ${'PAUSED'}
  ${'cut'}        | ${endOfDay()}                                                     | ${'accepted'}        | ${'3/3'}   | ${'none'}
  ${'cut'}        | ${endOfDay(MONDAY)}                                               | ${'accepted'}        | ${'4/4'}   | ${'none'}
  ${'batch done'} | ${begin(MONDAY)}                                                  | ${'DATE_NOT_BATCH'}  | ${'3/0'}   | ${'WAITING'}
  ${'batch done'} | ${begin()}                                                        | ${'accepted'}        | ${'3/3'}   | ${'none'}
  ${'set aside'}  | ${begin()}                                                        | ${'BATCH_NOT_WHOLE'} | ${'3/0'}   | ${'WAITING'}
  ${'set aside'}  | ${begin(FRIDAY, 'seen')}                                          | ${'accepted'}        | ${'3/3'}   | ${'none'}
  ${'ended'}      | ${cut(FRIDAY)}                                                    | ${'accepted'}        | ${'3/3'}   | ${'none'}
  ${'ended'}      | ${runBatch(FRIDAY)}                                               | ${'DATE_NOT_BATCH'}  | ${'3/3'}   | ${'none'}
  ${'ended'}      | ${cut(FRIDAY - 1)}                                                | ${'DATE_NOT_ONLINE'} | ${'3/3'}   | ${'none'}
  ${'ended'}      | ${cut()}                                                          | ${'accepted'}        | ${'4/3'}   | ${'WAITING'}
`('$stands, $command.kind: $answer, then $dates $state', ({ stands, command, answer, dates, state }) => {
  const world = registered();
  STANDS[stands as string]?.(world);
  expect(world.ask(command as BranchCommand)).toBe(answer);
  if (stands === 'being cut' && command.kind === 'runBatch') expect(world.branch.run?.goal).toBe('BATCH');
  world.settle();
  const { run } = world.branch;
  expect([world.dates, run === undefined ? 'none' : runStateOf(run)]).toEqual([dates, state]);
});

test.each(['update', 'cut', 'runBatch', 'begin', 'endOfDay', 'setDates', 'pause', 'resume'] as const)('%s of a branch that is not registered', (kind) => {
  const world = new BranchWorld([1]);
  const command = { kind, settings: settings(), date: FRIDAY, untilDate: FRIDAY, reason: 'r', forcedReason: undefined } as BranchCommand;
  expect(world.ask(command)).toBe('BRANCH_NOT_FOUND');
});

describe('registering', () => {
  test('the dates go from partition to partition, and a run that is asked for waits for them', () => {
    const world = new BranchWorld([0, 0, 0]);
    world.ask({ kind: 'register', settings: settings(), onlineDate: FRIDAY });
    expect(world.ask(cut())).toBe('accepted');
    expect(world.ask(setDates(MONDAY))).toBe('BATCH_UNDER_WAY');
    world.arrive(0);
    world.arrive(1);
    expect([world.branch.inForce, world.dates]).toEqual([false, '0/0']);
    world.arrive(2);
    expect([world.dates, world.branch.inForce]).toEqual(['3/0', false]);
    world.settle();
    expect(world.branch.inForce).toBe(true);
  });

  test('without a date it begins today, or at the next business date', () => {
    const world = new BranchWorld([0]);
    world.nowUs += 24 * HOUR_US;
    world.ask({ kind: 'register', settings: settings(), onlineDate: undefined });
    expect([world.dates, world.branch.closedDate]).toEqual(['3/3', FRIDAY]);
  });

  test('a calendar without any business date is refused', () => {
    const holidays = Array.from({ length: 400 }, (_, at) => FRIDAY + 1 + at);
    expect(new BranchWorld([0]).ask({ kind: 'register', settings: settings({ holidays }), onlineDate: FRIDAY })).toBe('INVALID_REQUEST');
  });
});

describe('a run', () => {
  test('changes of the settings hold from the next run on, and a holiday at the day of the cut does not hold it up', () => {
    const world = registered();
    world.ask(endOfDay(FRIDAY));
    world.ask({ kind: 'update', settings: settings({ jobs: ['REPORTS'], holidays: [FRIDAY, MONDAY] }) });
    world.settle();
    expect(world.dates).toBe('3/3');
    world.ask(endOfDay());
    expect(world.branch.run?.steps.map(({ job }) => job).filter(Boolean)).toEqual(['REPORTS']);
    world.settle();
    expect(world.dates).toBe('4/4');
  });

  test('jobs of stage one run before the cut', () => {
    const world = registered({ stageOneJobs: ['MATURITY'] });
    world.ask(cut());
    world.arrive(9);
    expect([world.dates, world.asked.at(-1)?.ask.kind]).toEqual(['0/0', 'mature']);
    world.settle();
    expect(world.dates).toBe('3/0');
  });

  test('it waits for transfers on their way for a time, asks what is left over and over, and goes on without them', () => {
    const world = registered();
    world.outgoing[1] = 4;
    world.ask(endOfDay());
    world.settle();
    expect(world.dates).toBe('3/3');
    expect(world.events.find(({ event }) => event.kind === 'stepEnded' && event.stragglers > 0n)?.event).toMatchObject({ stragglers: 4n });
  });

  test('chunks are of the size of the settings, and every partition has its own', () => {
    const world = registered({}, [5, 1]);
    world.ask(endOfDay());
    world.settle();
    const rolls = world.asked.flatMap(({ ask }) => (ask.kind === 'roll' ? [`${ask.partition} from ${ask.from}`] : []));
    expect(rolls).toEqual(['0 from 0', '1 from 0', '0 from 2', '0 from 4']);
  });

  test('paused, it stands still behind what was asked, and resumed it goes on there', () => {
    const world = registered({}, [5, 5]);
    world.ask(endOfDay());
    while (world.branch.run === undefined || stepOfRun(world.branch.run).kind !== 'ROLL') for (const partition of [0, 1, 2]) world.arrive(partition);
    world.ask({ kind: 'pause' });
    expect(world.ask({ kind: 'pause' })).toBe('accepted');
    world.settle();
    expect(world.branch.run?.partitions).toEqual([
      { state: 'HELD', from: 2n },
      { state: 'HELD', from: 2n },
    ]);
    world.ask({ kind: 'resume' });
    world.settle();
    expect(world.dates).toBe('3/3');
  });

  test('accounts that are set aside are counted, and the first of them named', () => {
    const world = registered({}, [1, 1]);
    world.setAside = 700;
    world.ask(endOfDay());
    world.settle();
    expect(world.branch.run?.setAside).toBe(1_400);
    const setAside = world.events.flatMap(({ event }) => (event.kind === 'stepAdvanced' ? event.done.setAside : []));
    expect([setAside.length, setAside.filter(({ accountId }) => accountId !== '').length]).toEqual([1_400, 1_000]);
  });

  test('a day begin is forced over jobs, and what they answer afterwards changes nothing', () => {
    const world = registered({}, [5, 5]);
    world.ask(endOfDay());
    while (world.branch.run === undefined || stepOfRun(world.branch.run).job !== 'INTEREST') for (const partition of [0, 1, 2]) world.arrive(partition);
    expect(world.ask(begin(undefined, 'the bank opens'))).toBe('accepted');
    expect(world.dates).toBe('3/3');
    const { branch } = world;
    world.settle();
    expect(world.branch).toEqual(branch);
  });
});

describe('the automatic cut', () => {
  test('runs the end of day at its time, and not before', () => {
    const world = registered({ automatic: true });
    world.nowUs += 5 * HOUR_US;
    world.fire();
    expect(world.dates).toBe('0/0');
    world.nowUs += HOUR_US;
    world.fire();
    world.settle();
    expect(world.dates).toBe('3/3');
  });

  test('a timer that fires early, because a clock went ahead, is set anew', () => {
    const world = registered({ automatic: true });
    const timer = world.timers.get('cut');
    world.timers.delete('cut');
    world.ask({ kind: 'cutDue', date: FRIDAY });
    expect([world.timers.get('cut'), world.dates]).toEqual([timer, '0/0']);
    world.ask({ kind: 'cutDue', date: MONDAY });
    expect(world.dates).toBe('0/0');
  });

  test('missed days are caught up in order', () => {
    const world = registered({ automatic: true });
    world.nowUs += 7 * 24 * HOUR_US;
    for (let rounds = 0; rounds < 10; rounds += 1) {
      world.fire();
      world.settle();
    }
    expect(world.dates).toBe('7/7');
    const closed = world.events.flatMap(({ event }) => (event.kind === 'batchDateMoved' ? [event.date - FRIDAY] : []));
    expect(closed).toEqual([0, 3, 4, 5, 6]);
  });

  test('a day that a caller has cut before is ended at its cut time', () => {
    const world = registered({ automatic: true });
    world.ask(cut());
    world.settle();
    expect(world.dates).toBe('3/0');
    world.nowUs += 6 * HOUR_US;
    world.fire();
    world.settle();
    expect(world.dates).toBe('3/3');
  });

  test('a new cut time holds from the next date on, and one that is set where there was none at once', () => {
    const world = registered({ automatic: true });
    const due = () => (world.timers.get('cut') as { readonly dueAtUs: number }).dueAtUs;
    const first = due();
    world.ask({ kind: 'update', settings: settings({ automatic: true, cutMinutes: 20 * 60 }) });
    expect(due()).toBe(first);
    world.ask(endOfDay());
    world.settle();
    expect(due()).toBe(first + 3 * 24 * HOUR_US + 2 * HOUR_US);
    world.ask({ kind: 'update', settings: settings() });
    expect(world.timers.has('cut')).toBe(false);
    world.ask({ kind: 'update', settings: settings({ automatic: true }) });
    expect(due()).toBe(first + 3 * 24 * HOUR_US);
  });
});
