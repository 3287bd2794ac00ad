/** A contended queue: who is taken before whom, and who is refused. */
import fc from 'fast-check';
import { QueueUnderTest, type Given } from '../test/queue-under-test';
import { QueueFullError } from './submission-queue';

const HOT = 1;

function flood(under: QueueUnderTest, count: number, given: Omit<Given, 'name'>, prefix = 'hot'): string[] {
  const names = Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  for (const name of names) under.push({ name, ...given });
  return names;
}

describe('turns', () => {
  test('a neighbour of a flooded aggregate is in the next turn, and the flooded one keeps its order', () => {
    const under = new QueueUnderTest({ turnCommands: 16 });
    const hot = flood(under, 200, { aggregates: [HOT], caller: 'A' });
    under.push({ name: 'near', aggregates: [2], caller: 'A' });
    expect(under.take()).toContain('near');
    const taken = ['hot0', ...under.takeAll()];
    expect(under.queue.empty).toBe(true);
    expect(taken.filter((name) => name !== 'near').slice(-100)).toEqual(hot.slice(-100));
  });

  test('large batches on one aggregate do not hold up single commands on another', () => {
    const under = new QueueUnderTest({ turnCommands: 100 });
    flood(under, 8, { aggregates: [HOT], commands: 50, caller: 'A' });
    flood(under, 10, { aggregates: [2], caller: 'A' }, 'near');
    const taken = [...under.take(), ...under.take()];
    expect(taken.filter((name) => name.startsWith('near'))).toHaveLength(10);
  });

  test('a caller who floods many aggregates does not hold up another caller', () => {
    const under = new QueueUnderTest({ turnCommands: 16 });
    for (let at = 0; at < 200; at += 1) under.push({ name: `many${at}`, aggregates: [at], caller: 'A' });
    under.push({ name: 'other', aggregates: [1_000], caller: 'B' });
    expect(under.take()).toContain('other');
  });

  test('two callers with much waiting are taken alike, whatever the sizes of their submissions', () => {
    const under = new QueueUnderTest({ turnCommands: 40, turnBytes: 1 << 20 });
    for (let at = 0; at < 400; at += 1) under.push({ name: `single${at}`, aggregates: [at], caller: 'A' });
    for (let at = 0; at < 40; at += 1) under.push({ name: `batch${at}`, aggregates: [1_000 + at], commands: 10, caller: 'B' });
    const turns = [under.take(), under.take(), under.take()].flat();
    const singles = turns.filter((name) => name.startsWith('single')).length;
    const inBatches = turns.filter((name) => name.startsWith('batch')).length * 10;
    expect(Math.abs(singles - inBatches)).toBeLessThanOrEqual(10);
  });

  test('on one aggregate callers are taken in the order in which they came, whoever floods it', () => {
    const under = new QueueUnderTest({ turnCommands: 4 });
    const hot = flood(under, 10, { aggregates: [HOT], caller: 'A' });
    under.push({ name: 'behind', aggregates: [HOT], caller: 'B' });
    expect(under.takeAll()).toEqual([...hot, 'behind']);
  });

  test('a batch over several aggregates waits for what came before it on each, and holds back what comes later', () => {
    const under = new QueueUnderTest({ turnCommands: 4 });
    const hot = flood(under, 10, { aggregates: [HOT] });
    under.push({ name: 'both', aggregates: [2, HOT, 2], commands: 3 });
    under.push({ name: 'later', aggregates: [2] });
    under.push({ name: 'free', aggregates: [3] });
    const taken = under.takeAll();
    expect(taken.indexOf('free')).toBeLessThan(4);
    expect(taken.filter((name) => name !== 'free')).toEqual([...hot, 'both', 'later']);
  });

  test('one that may touch any aggregate passes none and is passed by none', () => {
    const under = new QueueUnderTest({ turnCommands: 4 });
    const before = flood(under, 10, { aggregates: [HOT] }, 'before');
    under.push({ name: 'any' });
    under.push({ name: 'any too' });
    const after = flood(under, 10, { aggregates: [2] }, 'after');
    under.push({ name: 'last' });
    expect(under.takeAll()).toEqual([...before, 'any', 'any too', ...after, 'last']);
  });

  test('a batch as large as a turn is taken within a few turns, although small ones come all the time', () => {
    const under = new QueueUnderTest({ turnCommands: 20 });
    flood(under, 30, { aggregates: [HOT] });
    under.push({ name: 'large', aggregates: [2], commands: 20 });
    const turns: string[][] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      for (let at = 0; at < 20; at += 1) under.push({ name: `${turn}.${at}`, aggregates: [100 + turn * 20 + at] });
      turns.push(under.take());
    }
    expect(turns.findIndex((turn) => turn.includes('large'))).toBeGreaterThanOrEqual(0);
  });

  test('batches larger than a turn go on beside single commands that are in every turn', () => {
    const under = new QueueUnderTest({ turnCommands: 8 });
    const batches = flood(under, 10, { aggregates: [HOT], commands: 10 });
    const turns: string[][] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      under.push({ name: `single${turn}`, aggregates: [2] });
      turns.push(under.take());
    }
    for (const [at, turn] of turns.entries()) expect(turn).toContain(`single${at}`);
    // Two in a turn of which half goes by age.
    expect(turns.slice(0, 8).map((turn) => turn.filter((name) => name.startsWith('hot')).length)).toEqual([1, 1, 1, 2, 1, 1, 1, 2]);
    expect(turns.flat().filter((name) => name.startsWith('hot'))).toEqual(batches);
  });

  test('one that has little waiting is in every turn, whatever is older and however large it is', () => {
    const under = new QueueUnderTest({ turnCommands: 8 });
    for (let at = 0; at < 20; at += 1) under.push({ name: `old${at}`, aggregates: [at], commands: 10, caller: 'A' });
    under.take();
    for (let turn = 0; turn < 8; turn += 1) {
      under.push({ name: `near${turn}`, aggregates: [100], caller: 'B' });
      expect(under.take()).toContain(`near${turn}`);
    }
  });

  test('an empty or short queue is taken in the order of arrival again', () => {
    const under = new QueueUnderTest({ turnCommands: 8 });
    flood(under, 12, { aggregates: [HOT] });
    expect(under.take()).toHaveLength(8);
    under.push({ name: 'a', aggregates: [2] });
    expect(under.take()).toEqual(['hot8', 'hot9', 'hot10', 'hot11', 'a']);
  });
});

describe('a full queue', () => {
  test('refuses the newest of the flooded aggregate in favour of its neighbours, and more of the flooded one', () => {
    const under = new QueueUnderTest({ queueCommands: 10 });
    flood(under, 10, { aggregates: [HOT], caller: 'A' });
    expect(() => under.push({ name: 'more', aggregates: [HOT], caller: 'A' })).toThrow(QueueFullError);
    for (const name of ['n0', 'n1', 'n2', 'n3', 'n4']) under.push({ name, aggregates: [2], caller: 'A' });
    expect(under.crowdedOut).toEqual(['hot5', 'hot6', 'hot7', 'hot8', 'hot9']);
    expect(() => under.push({ name: 'n5', aggregates: [2], caller: 'A' })).toThrow(QueueFullError);
    expect(under.queue.commands).toBe(10);
    expect(under.takeAll()).toHaveLength(10);
  });

  test('refuses the newest of the caller with most in favour of other callers, though each of its aggregates has one', () => {
    const under = new QueueUnderTest({ queueCommands: 10 });
    for (let at = 0; at < 10; at += 1) under.push({ name: `a${at}`, aggregates: [at], caller: 'A' });
    expect(() => under.push({ name: 'more', aggregates: [20], caller: 'A' })).toThrow(QueueFullError);
    for (const name of ['b0', 'b1', 'b2', 'b3', 'b4']) under.push({ name, aggregates: [30], caller: 'B' });
    expect(under.crowdedOut).toEqual(['a5', 'a6', 'a7', 'a8', 'a9']);
    expect(() => under.push({ name: 'b5', aggregates: [30], caller: 'B' })).toThrow(QueueFullError);
    under.push({ name: 'b6', aggregates: [31], caller: 'B' });
    expect(under.crowdedOut).toContain('b4');
  });

  test('of the caller with most it refuses what its heaviest aggregate has, not its neighbours', () => {
    const under = new QueueUnderTest({ queueCommands: 10 });
    flood(under, 8, { aggregates: [HOT], caller: 'A' });
    flood(under, 2, { aggregates: [2], caller: 'A' }, 'near');
    under.push({ name: 'b', aggregates: [3], caller: 'B' });
    expect(under.crowdedOut).toEqual(['hot7']);
  });

  test('refuses nothing in favour of a batch that would have more than what it takes the room of', () => {
    const under = new QueueUnderTest({ queueCommands: 10 });
    flood(under, 6, { aggregates: [HOT] });
    flood(under, 4, { aggregates: [2] }, 'near');
    expect(() => under.push({ name: 'batch', aggregates: [3], commands: 4 })).toThrow(QueueFullError);
    expect(under.crowdedOut).toEqual([]);
    under.push({ name: 'batch', aggregates: [3], commands: 3 });
    expect(under.crowdedOut).toEqual(['hot3', 'hot4', 'hot5']);
  });

  test('never refuses the oldest submission of a share: what was taken in goes on', () => {
    const under = new QueueUnderTest({ queueCommands: 10 });
    under.push({ name: 'batch', aggregates: [HOT], commands: 10, caller: 'A' });
    expect(() => under.push({ name: 'b', aggregates: [2], caller: 'B' })).toThrow(QueueFullError);
    expect(under.takeAll()).toEqual(['batch']);
  });

  test('counts bytes like commands', () => {
    const under = new QueueUnderTest({ queueBytes: 1_000, turnBytes: 100, turnCommands: 10 });
    flood(under, 10, { aggregates: [HOT], bytes: 100 });
    under.push({ name: 'near', aggregates: [2], bytes: 90 });
    expect(under.crowdedOut).toEqual(['hot9']);
  });

  test('what follows a refused one on an aggregate still waits for what was before it', async () => {
    const under = new QueueUnderTest({ queueCommands: 6 });
    under.push({ name: 'slow', aggregates: [1], caller: 'A', slow: true });
    flood(under, 3, { aggregates: [1, 2], caller: 'A' }, 'both');
    under.push({ name: 'behind', aggregates: [2], caller: 'B' });
    under.push({ name: 'b', aggregates: [3], caller: 'B' });
    under.push({ name: 'c', aggregates: [4], caller: 'C' });
    expect(under.crowdedOut).toEqual(['both2']);
    expect(under.take()).toEqual(['b', 'c']);
    await under.prepare('slow');
    expect(under.takeAll()).toEqual(['slow', 'both0', 'both1', 'behind']);
  });
});

// ---- every interleaving ----

interface Step {
  readonly kind: 'push' | 'prepare' | 'take';
  readonly aggregates: readonly number[] | undefined;
  readonly caller: string;
  readonly commands: number;
  readonly slow: boolean;
  readonly at: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('push', 'push', 'push', 'push', 'prepare', 'take'),
  aggregates: fc.oneof(
    { weight: 6, arbitrary: fc.nat(6).map((aggregate) => [aggregate]) },
    { weight: 2, arbitrary: fc.uniqueArray(fc.nat(6), { minLength: 2, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  caller: fc.constantFrom('A', 'A', 'A', 'B', 'C'),
  commands: fc.constantFrom(1, 1, 1, 2, 5),
  slow: fc.boolean(),
  at: fc.nat(40),
});

const QUEUE_COMMANDS = 12;
const TURN_COMMANDS = 4;

test('in every interleaving the order per aggregate stays, the bound holds, each submission is taken once or refused, and no turn is idle', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const under = new QueueUnderTest({ queueCommands: QUEUE_COMMANDS, turnCommands: TURN_COMMANDS });
      const pushed: { name: string; aggregates: readonly number[] | undefined }[] = [];
      const refused = new Set<string>();
      const taken: string[] = [];
      for (const [number, { kind, at, ...given }] of steps.entries()) {
        const name = String(number);
        if (kind === 'take') {
          const { hasReady } = under.queue;
          const turn = under.take();
          expect(turn.length > 0).toBe(hasReady);
          taken.push(...turn);
        } else if (kind === 'prepare') await under.prepare(String(at));
        else {
          pushed.push({ name, aggregates: given.aggregates });
          try {
            under.push({ name, ...given });
          } catch (error) {
            expect(error).toBeInstanceOf(QueueFullError);
            refused.add(name);
          }
        }
        expect(under.queue.commands).toBeLessThanOrEqual(QUEUE_COMMANDS);
      }
      for (const { name } of pushed) await under.prepare(name);
      taken.push(...under.takeAll());
      expect(under.queue).toMatchObject({ empty: true, commands: 0 });
      const all = [...taken, ...refused, ...under.crowdedOut];
      expect(all.sort()).toEqual(pushed.map(({ name }) => name).sort());
      const places = new Map(taken.map((name, place) => [name, place]));
      const inOrder = pushed.filter(({ name }) => places.has(name));
      for (const [at, one] of inOrder.entries()) {
        for (const later of inOrder.slice(at + 1)) {
          if (!sharesAggregate(one.aggregates, later.aggregates)) continue;
          expect({ of: one.name, before: later.name, is: (places.get(one.name) as number) < (places.get(later.name) as number) }).toMatchObject({ is: true });
        }
      }
    }),
    { numRuns: 300 },
  );
});

function sharesAggregate(left: readonly number[] | undefined, right: readonly number[] | undefined): boolean {
  return left === undefined || right === undefined || left.some((aggregate) => right.includes(aggregate));
}

test('whatever floods the queue, what was taken in is decided within a bounded number of turns', () => {
  const flooding = fc.array(fc.record({ aggregate: fc.nat(30), caller: fc.constantFrom('A', 'B', 'C', 'D'), commands: fc.constantFrom(1, 1, 1, 2, 4) }), {
    minLength: 20,
    maxLength: 20,
  });
  // One turn of four goes by age, and nothing that waits is behind more than a full queue.
  const bound = 4 * (QUEUE_COMMANDS + 1);
  fc.assert(
    fc.property(flooding, fc.nat(30), fc.constantFrom(1, 4), (floods, aggregate, commands) => {
      const under = new QueueUnderTest({ queueCommands: QUEUE_COMMANDS, turnCommands: TURN_COMMANDS });
      let pushes = 0;
      const pour = (): void => {
        for (const { aggregate: flooded, ...given } of floods) {
          pushes += 1;
          try {
            under.push({ name: String(pushes), aggregates: [flooded], ...given });
          } catch (error) {
            expect(error).toBeInstanceOf(QueueFullError);
          }
        }
      };
      pour();
      under.take();
      try {
        under.push({ name: 'watched', aggregates: [aggregate], commands, caller: 'E' });
      } catch (error) {
        expect(error).toBeInstanceOf(QueueFullError);
        return;
      }
      for (let turn = 0; turn < bound; turn += 1) {
        if (under.take().includes('watched')) return;
        pour();
        if (under.crowdedOut.includes('watched')) return;
      }
      throw new Error(`it waited ${bound} turns`);
    }),
    { numRuns: 200 },
  );
});
