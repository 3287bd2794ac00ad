import { RoundBudget, type RoundCaller } from './round-budget';

const ONE: RoundCaller = { identity: 'one' };
const OTHER: RoundCaller = { identity: 'other' };
/** Costs as much as ten small pieces. */
const LARGE_BYTES = 9 * 4_096;

/** An event loop whose rounds the test begins. */
class Rounds {
  private readonly ahead: (() => void)[] = [];

  readonly next = (begin: () => void): void => void this.ahead.push(begin);

  get scheduled(): number {
    return this.ahead.length;
  }

  begin(): void {
    for (const begin of this.ahead.splice(0)) begin();
  }
}

test('a burst runs in slices of the budget, in order', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(4, rounds.next);
  const ran: number[] = [];
  for (let piece = 0; piece < 10; piece += 1) budget.run(ONE, noting(ran, piece));
  expect(ran).toEqual([0, 1, 2, 3]);
  rounds.begin();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  budget.run(ONE, noting(ran, 10));
  rounds.begin();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('what comes while others wait does not overtake them', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(3, rounds.next);
  const ran: string[] = [];
  const first = (): number => {
    ran.push('first');
    budget.run(ONE, noting(ran, 'asked for by the first'));
    return 0;
  };
  for (let piece = 0; piece < 3; piece += 1) budget.run(ONE, noting(ran, 'before'));
  budget.run(ONE, first);
  budget.run(ONE, noting(ran, 'second'));
  rounds.begin();
  expect(ran.slice(3)).toEqual(['first', 'second', 'asked for by the first']);
});

test('asynchronous work shares the budget, one piece each time it asks', async () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(2, rounds.next);
  const ran: string[] = [];
  const worker = async (name: string): Promise<void> => {
    for (let piece = 0; piece < 3; piece += 1) {
      const room = budget.room({ identity: name }, 0);
      if (room !== undefined) await room;
      ran.push(`${name}${piece}`);
    }
  };
  const done = Promise.all([worker('a'), worker('b')]);
  const seen: string[][] = [];
  while (ran.length < 6) {
    seen.push([...ran]);
    rounds.begin();
    await Promise.resolve();
    await Promise.resolve();
  }
  await done;
  // The second worker came when the round was full; from then on they take turns.
  expect(seen).toEqual([
    ['a0', 'a1'],
    ['a0', 'a1', 'a2', 'b0'],
  ]);
  expect(ran).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2']);
});

test('without work no round is asked for', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(2, rounds.next);
  expect(rounds.scheduled).toBe(0);
  budget.run(ONE, () => 0);
  budget.run(ONE, () => 0);
  expect(rounds.scheduled).toBe(1);
  rounds.begin();
  expect(rounds.scheduled).toBe(0);
});

test('a long queue keeps its order', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(100, rounds.next);
  const ran: number[] = [];
  for (let piece = 0; piece < 5_000; piece += 1) budget.run(ONE, noting(ran, piece));
  for (let round = 0; round < 49; round += 1) rounds.begin();
  expect(ran).toEqual(Array.from({ length: 5_000 }, (_, piece) => piece));
});

test('a caller with one piece waits for no more than one turn of each other caller, however much they have waiting', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(32, rounds.next);
  const ran: string[] = [];
  for (let piece = 0; piece < 1_000; piece += 1) budget.run(ONE, noting(ran, `one${piece}`));
  budget.run(OTHER, noting(ran, 'other'));
  rounds.begin();
  expect(ran.slice(32)).toContain('other');
  expect(ran).toHaveLength(64);
});

test('large pieces count for more, one of them runs in every round, and callers have equal parts by what it costs', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(40, rounds.next);
  const ran: string[] = [];
  for (let piece = 0; piece < 4; piece += 1) budget.run(ONE, noting(ran, 'first', LARGE_BYTES));
  expect(ran).toHaveLength(4);
  for (let piece = 0; piece < 100; piece += 1) budget.run(ONE, noting(ran, 'large', LARGE_BYTES));
  for (let piece = 0; piece < 1_000; piece += 1) budget.run(OTHER, noting(ran, 'small'));
  for (let round = 0; round < 20; round += 1) rounds.begin();
  const large = ran.filter((name) => name === 'large').length * 10;
  const small = ran.filter((name) => name === 'small').length;
  expect(Math.abs(large - small)).toBeLessThanOrEqual(20);
  const huge = new RoundBudget(4, rounds.next);
  for (let piece = 0; piece < 3; piece += 1) huge.run(ONE, noting(ran, 'huge', 100 * LARGE_BYTES));
  for (let round = 1; round <= 3; round += 1) {
    expect(ran.filter((name) => name === 'huge')).toHaveLength(round);
    rounds.begin();
  }
});

test('asynchronous work of many bytes counts for as much as other work', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(10, rounds.next);
  expect(budget.room(ONE, LARGE_BYTES)).toBeUndefined();
  expect(budget.room(ONE, 0)).toBeInstanceOf(Promise);
});

test('when much waits, those crowd who have more than an equal part of it, and no others', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(1, rounds.next);
  budget.run(ONE, () => 0);
  expect(budget.isCrowdedBy(ONE)).toBe(false);
  for (let piece = 0; piece < 9; piece += 1) budget.run(ONE, () => 0, 8 << 20);
  budget.run(OTHER, () => 0, 8 << 20);
  expect([ONE, OTHER, { identity: 'a third' }].map((caller) => budget.isCrowdedBy(caller))).toEqual([true, false, false]);
  for (let round = 0; round < 10; round += 1) rounds.begin();
  expect(budget.isCrowdedBy(ONE)).toBe(false);
});

function noting<Name>(ran: Name[], name: Name, bytes = 0): () => number {
  return () => {
    ran.push(name);
    return bytes;
  };
}
