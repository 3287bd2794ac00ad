/** From a task's number to its slot, in an open table of typed arrays: a map of a million numbers would cost the garbage collector. */
const INITIAL = 8;
const MAXIMUM_LOAD = 0.6;

export class NumberIndex {
  private numbers = new Float64Array(INITIAL);
  private slots = new Int32Array(INITIAL);
  private mask = INITIAL - 1;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** -1: the number is not there. */
  get(number: number): number {
    for (let at = this.home(number); ; at = (at + 1) & this.mask) {
      const found = this.numbers[at] as number;
      if (found === number) return this.slots[at] as number;
      if (found === 0) return -1;
    }
  }

  /** The number must not be there yet, and is not 0. */
  add(number: number, slot: number): void {
    if (this.count >= this.numbers.length * MAXIMUM_LOAD) this.grow();
    this.count += 1;
    this.place(number, slot);
  }

  delete(number: number): void {
    let at = this.home(number);
    while (this.numbers[at] !== number) {
      if (this.numbers[at] === 0) return;
      at = (at + 1) & this.mask;
    }
    this.count -= 1;
    // What stands behind the hole moves up, so that every probe still finds it.
    for (let next = (at + 1) & this.mask; this.numbers[next] !== 0; next = (next + 1) & this.mask) {
      const home = this.home(this.numbers[next] as number);
      if (((next - home) & this.mask) < ((next - at) & this.mask)) continue;
      this.numbers[at] = this.numbers[next] as number;
      this.slots[at] = this.slots[next] as number;
      at = next;
    }
    this.numbers[at] = 0;
  }

  private home(number: number): number {
    // The high bits of the product: numbers that follow each other spread evenly there, and in other bits they run together.
    return Math.imul(number | 0, 0x9e3779b1) >>> Math.clz32(this.mask);
  }

  private place(number: number, slot: number): void {
    let at = this.home(number);
    while (this.numbers[at] !== 0) at = (at + 1) & this.mask;
    this.numbers[at] = number;
    this.slots[at] = slot;
  }

  private grow(): void {
    const { numbers, slots } = this;
    this.numbers = new Float64Array(numbers.length * 2);
    this.slots = new Int32Array(numbers.length * 2);
    this.mask = this.numbers.length - 1;
    for (let at = 0; at < numbers.length; at += 1) if (numbers[at] !== 0) this.place(numbers[at] as number, slots[at] as number);
  }
}
