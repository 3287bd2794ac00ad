import { clockOn } from './system-clock';

const START_MS = 1_767_225_600_000;

/** A machine whose time stands still until it is told to move. */
class Machine {
  wall = START_MS;
  monotonic = 5_000;
  readonly clock = clockOn({ wallMs: () => Math.floor(this.wall), monotonicMs: () => this.monotonic });

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.monotonic += milliseconds;
  }

  /** Microseconds since the start. */
  get told(): number {
    return this.clock.nowUs() - START_MS * 1_000;
  }
}

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
