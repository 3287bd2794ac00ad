import { RoundBudget } from './round-budget';

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
  for (let piece = 0; piece < 10; piece += 1) budget.run(() => ran.push(piece));
  expect(ran).toEqual([0, 1, 2, 3]);
  rounds.begin();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  budget.run(() => ran.push(10));
  rounds.begin();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('what comes while others wait does not overtake them', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(3, rounds.next);
  const ran: string[] = [];
  const first = (): void => {
    ran.push('first');
    budget.run(() => ran.push('asked for by the first'));
  };
  for (let piece = 0; piece < 3; piece += 1) budget.run(() => ran.push('before'));
  budget.run(first);
  budget.run(() => ran.push('second'));
  rounds.begin();
  expect(ran.slice(3)).toEqual(['first', 'second', 'asked for by the first']);
});

test('asynchronous work shares the budget, one piece each time it asks', async () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(2, rounds.next);
  const ran: string[] = [];
  const worker = async (name: string): Promise<void> => {
    for (let piece = 0; piece < 3; piece += 1) {
      const room = budget.room();
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
  budget.run(() => undefined);
  budget.run(() => undefined);
  expect(rounds.scheduled).toBe(1);
  rounds.begin();
  expect(rounds.scheduled).toBe(0);
});

test('a long queue keeps its order', () => {
  const rounds = new Rounds();
  const budget = new RoundBudget(100, rounds.next);
  const ran: number[] = [];
  for (let piece = 0; piece < 5_000; piece += 1) budget.run(() => ran.push(piece));
  for (let round = 0; round < 49; round += 1) rounds.begin();
  expect(ran).toEqual(Array.from({ length: 5_000 }, (_, piece) => piece));
});
