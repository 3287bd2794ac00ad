/**
 * Random numbers from a seed: the same seed gives the same numbers on every machine. The generator is sfc32 (Chris Doty-Humphrey's
 * PractRand), seeded by splitmix32.
 *
 * Each part of the world draws from a stream of its own (`fork`), so that one more draw in one part does not change all the others.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    let state = this.#seed;
    const split = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = split();
    this.#b = split();
    this.#c = split();
    for (let round = 0; round < 12; round += 1) this.#next32();
  }

  /** An independent stream with a name. */
  fork(name: string): Random {
    let hash = this.#seed;
    for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
    return new Random(hash);
  }

  /** 0 <= number < 1. */
  next(): number {
    return this.#next32() / 0x1_0000_0000;
  }

  /** 0 <= integer < limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** least <= integer <= most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('there is nothing to pick from');
    return items[this.below(items.length)] as Item;
  }

  /** Mostly near the least, sometimes far from it: as latencies are. Microseconds in, microseconds out. */
  latencyUs(leastUs: number, typicalUs: number): number {
    return leastUs + Math.round(-Math.log(1 - this.next()) * typicalUs);
  }

  #next32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }
}
