import { clockOn } from './system-clock';

const START_MS = 1_767_225_600_000;

/** What Node takes: it fires a timer that is set for longer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A machine whose time stands still until it is told to move. */
class Machine {
  wall = START_MS;
  monotonic = 5_000;
  /** How long each timer was set for. */
  readonly timersMs: number[] = [];
  private due: (() => void) | undefined;
  readonly clock = clockOn({
    wallMs: () => Math.floor(this.wall),
    monotonicMs: () => this.monotonic,
    timer: (delayMs, callback) => {
      this.timersMs.push(delayMs);
      this.due = callback;
      return () => {
        if (this.due === callback) this.due = undefined;
      };
    },
  });

  /** Fires the timer that was set last. @returns whether there was one. */
  fire(): boolean {
    const { due } = this;
    this.due = undefined;
    due?.();
    return due !== undefined;
  }

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.monotonic += milliseconds;
  }

  /** Microseconds since the start. */
  get told(): number {
    return this.clock.nowUs() - START_MS * 1_000;
  }
}

test.each`
  delayMs                 | timersMs
  ${0}                    | ${[0]}
  ${1}                    | ${[1]}
  ${LONGEST_TIMER_MS}     | ${[LONGEST_TIMER_MS]}
  ${LONGEST_TIMER_MS + 1} | ${[LONGEST_TIMER_MS, 1]}
  ${3 * LONGEST_TIMER_MS} | ${[LONGEST_TIMER_MS, LONGEST_TIMER_MS, LONGEST_TIMER_MS]}
`('a timer of $delayMs ms fires once, after timers that Node takes: $timersMs', ({ delayMs, timersMs }: { delayMs: number; timersMs: number[] }) => {
  const machine = new Machine();
  const fired: number[] = [];
  machine.clock.after(delayMs, () => fired.push(machine.timersMs.length));
  while (machine.fire());
  expect(machine.timersMs).toEqual(timersMs);
  expect(fired).toEqual([timersMs.length]);
});

test('a timer that takes several of Node is cancelled, whatever of it has passed', () => {
  const machine = new Machine();
  const fired: string[] = [];
  const cancel = machine.clock.after(3 * LONGEST_TIMER_MS, () => fired.push('late'));
  machine.fire();
  cancel();
  expect(machine.fire()).toBe(false);
  expect(fired).toEqual([]);
});

test('the time of day has microseconds', () => {
  const machine = new Machine();
  machine.pass(1.25);
  expect(machine.told).toBe(1_250);
  machine.pass(0.125);
  expect(machine.told).toBe(1_375);
});

test.each`
  what                              | correctionMs
  ${'the machine was suspended'}    | ${3_600_000}
  ${'the wall clock was set ahead'} | ${1_500}
  ${'the wall clock was set back'}  | ${-90_000}
  ${'a small step back'}            | ${-3}
`('the time of day follows the wall clock: $what', ({ correctionMs }: { correctionMs: number }) => {
  const machine = new Machine();
  machine.pass(10);
  machine.wall += correctionMs;
  const told = machine.told - (10 + correctionMs) * 1_000;
  expect(told).toBeGreaterThanOrEqual(0);
  expect(told).toBeLessThan(1_000);
  expect(machine.clock.monotonicMs()).toBe(5_010);
});

test('clocks that run at different speeds: it stays within the millisecond of the wall clock and never goes back', () => {
  for (const speed of [0.999, 1.001]) {
    const machine = new Machine();
    let before = machine.told;
    let wrong = 0;
    for (let step = 0; step < 20_000; step += 1) {
      machine.wall += 0.37;
      machine.monotonic += 0.37 * speed;
      const { told } = machine;
      if (told < before || Math.floor(told / 1_000) !== Math.floor(machine.wall) - START_MS) wrong += 1;
      before = told;
    }
    expect(wrong).toBe(0);
  }
});
