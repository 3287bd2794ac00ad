/** Whatever order partitions answer in, whatever commands come meanwhile, and whatever is refused for a while: days end one after the other, and every step is asked once. */
import fc from 'fast-check';
import { BranchWorld, FRIDAY, settings } from '../test/branch-world';
import type { BranchCommand } from './branch';
import { stepOfRun } from './branch-run';
import type { PlannedStep } from './branch-settings';
import { asksPartitions } from './evolve-branch';

const commandArbitrary: fc.Arbitrary<BranchCommand> = fc.oneof(
  fc.constantFrom<BranchCommand>(
    { kind: 'pause' },
    { kind: 'pause' },
    { kind: 'resume' },
    { kind: 'resume' },
    { kind: 'endOfDay', untilDate: undefined },
    { kind: 'cut', date: undefined },
    { kind: 'runBatch', date: undefined },
    { kind: 'begin', date: undefined, forcedReason: undefined },
    { kind: 'begin', date: undefined, forcedReason: 'asked for' },
    { kind: 'endOfDay', untilDate: undefined },
    { kind: 'setDates', date: FRIDAY + 14, reason: 'moved' },
    { kind: 'update', settings: settings({ jobs: ['ACCOUNTING'], automatic: true, stageOneJobs: ['MATURITY'] }) },
    { kind: 'update', settings: settings({ waitMs: 0, stepAccounts: 1 }) },
  ),
  fc.record({ kind: fc.constant('cut' as const), date: fc.integer({ min: FRIDAY, max: FRIDAY + 7 }) }),
  fc.record({ kind: fc.constant('endOfDay' as const), untilDate: fc.integer({ min: FRIDAY, max: FRIDAY + 7 }) }),
);

type Action =
  | { readonly what: 'command'; readonly command: BranchCommand }
  | { readonly what: 'arrive'; readonly partition: number; readonly refuses: boolean }
  | { readonly what: 'pass'; readonly us: number }
  | { readonly what: 'outgoing'; readonly partition: number; readonly count: number };

const PARTITIONS = 3;
const partitionArbitrary = fc.nat({ max: PARTITIONS });
const actionArbitrary: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ what: fc.constant('command' as const), command: commandArbitrary }), weight: 2 },
  { arbitrary: fc.record({ what: fc.constant('arrive' as const), partition: partitionArbitrary, refuses: fc.boolean() }), weight: 1 },
  { arbitrary: fc.record({ what: fc.constant('arrive' as const), partition: partitionArbitrary, refuses: fc.constant(false) }), weight: 8 },
  { arbitrary: fc.record({ what: fc.constant('pass' as const), us: fc.constantFrom(100_000, 5_000_000, 86_400_000_000) }), weight: 1 },
  {
    arbitrary: fc.record({ what: fc.constant('outgoing' as const), partition: fc.nat({ max: PARTITIONS - 1 }), count: fc.nat({ max: 2 }) }),
    weight: 1,
  },
);

const worldArbitrary = fc.record({
  accounts: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5 }), fc.nat({ max: 5 })),
  setAside: fc.nat({ max: 1 }),
  actions: fc.array(actionArbitrary, { maxLength: 100, size: 'max' }),
});

function act(world: BranchWorld, action: Action): void {
  switch (action.what) {
    case 'command':
      world.ask(action.command);
      break;
    case 'arrive':
      world.arrive(action.partition, action.refuses);
      break;
    case 'pass':
      world.nowUs += action.us;
      world.fire();
      break;
    case 'outgoing':
      world.outgoing[action.partition] = action.count;
      break;
    default:
      action satisfies never;
  }
}

function registered(accounts: readonly number[]): BranchWorld {
  const world = new BranchWorld(accounts);
  world.ask({ kind: 'register', settings: settings(), onlineDate: FRIDAY });
  return world;
}

/** A step begins when the one before has ended, and ends when every partition has done it, unless the day begin was forced. */
function checkSteps({ events }: BranchWorld): void {
  let under: { readonly date: number; readonly step: number; readonly complete: Set<number>; readonly asks: boolean } | undefined;
  let steps: readonly PlannedStep[] = [];
  for (const { event } of events) {
    if (event.kind === 'runBegun') {
      steps = event.steps;
      expect(under).toBeUndefined();
    } else if (event.kind === 'stepBegun') {
      const planned = steps[event.step] as PlannedStep;
      // A forced day begin leaves out jobs.
      if (planned.kind !== 'BEGIN') expect(under).toBeUndefined();
      under = { date: event.date, step: event.step, complete: new Set(), asks: asksPartitions(planned) };
    } else if (event.kind === 'stepAdvanced') {
      expect(event).toMatchObject({ date: under?.date, step: under?.step });
      expect(under?.complete.has(event.partition)).toBe(false);
      if (event.done.complete) under?.complete.add(event.partition);
    } else if (event.kind === 'stepEnded') {
      expect(event).toMatchObject({ date: under?.date, step: under?.step });
      expect(under?.complete.size).toBe(under?.asks === true ? PARTITIONS : 0);
      under = undefined;
    }
  }
}

/** But for what was refused, and for transfers that are counted again, nothing is asked twice. */
function checkAsks({ asked }: BranchWorld): void {
  const texts = asked.map((each) => JSON.stringify(each, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
  expect(texts.filter((text, at) => texts.indexOf(text) !== at)).toEqual([]);
}

/** The dates move one after the other, but where they are set by hand. */
function checkDates(world: BranchWorld): void {
  let [online, batch] = [0, 0];
  for (const { event } of world.events) {
    if (event.kind === 'registered' || event.kind === 'datesSet') [online, batch] = [event.date, event.date];
    else if (event.kind === 'onlineDateMoved') {
      expect([event.date, batch]).toEqual([online, online]);
      expect(event.onlineDate).toBeGreaterThan(online);
      online = event.onlineDate;
    } else if (event.kind === 'batchDateMoved') {
      expect(event.batchDate).toBe(online);
      expect(batch).toBeLessThan(online);
      batch = event.batchDate;
    }
  }
}

test('dates move one after the other, steps follow each other, and the log makes the same branch', () => {
  fc.assert(
    fc.property(worldArbitrary, ({ accounts, setAside, actions }) => {
      const world = registered(accounts);
      world.setAside = setAside;
      for (const action of actions) act(world, action);
      expect(world.replayed()).toEqual(world.branch);
      checkDates(world);
      checkSteps(world);
      checkAsks(world);
    }),
    { numRuns: 150 },
  );
});

test('whatever came before, a branch that is resumed and asked for it ends its day', () => {
  fc.assert(
    fc.property(worldArbitrary, ({ accounts, setAside, actions }) => {
      const world = registered(accounts);
      world.setAside = setAside;
      for (const action of actions) act(world, action);
      world.outgoing.fill(0);
      world.settle();
      const date = world.branch.batchDate;
      world.ask({ kind: 'resume' });
      expect(world.ask({ kind: 'endOfDay', untilDate: undefined })).toBe('accepted');
      world.settle();
      // Accounts that were set aside hold the day begin up until a person has looked at them.
      const { run } = world.branch;
      if (run !== undefined && run.setAside > 0 && run.date === date) {
        expect(stepOfRun(run).kind).toBe('BEGIN');
        expect(world.ask({ kind: 'begin', date, forcedReason: 'looked at' })).toBe('accepted');
      }
      expect(world.branch.batchDate).toBeGreaterThan(date);
    }),
    { numRuns: 150 },
  );
});
