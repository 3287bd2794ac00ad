/**
 * What is due in a queue, the earliest first: ends of delays and pauses, and time limits. Like in the ready heap, what is not valid any more
 * is dropped when it comes to the top.
 */
/** So few are kept within the object itself: a queue with few tasks, of which there may be many, takes little. */
const INITIAL = 8;

export class DueHeap {
  private times = new Float64Array(INITIAL);
  private numbers = new Float64Array(INITIAL);
  private kinds = new Uint8Array(INITIAL);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Microseconds; Infinity: it is empty. */
  get topTimeUs(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : (this.times[0] as number);
  }

  get topNumber(): number {
    return this.numbers[0] as number;
  }

  get topKind(): number {
    return this.kinds[0] as number;
  }

  push(timeUs: number, number: number, kind: number): void {
    if (this.count === this.times.length) this.grow();
    let at = this.count;
    this.count += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (timeUs >= (this.times[parent] as number)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, timeUs, number, kind);
  }

  pop(): void {
    this.count -= 1;
    if (this.count > 0) this.sink(0, this.times[this.count] as number, this.numbers[this.count] as number, this.kinds[this.count] as number);
  }

  /** Keeps the entries that are valid, and those only. */
  keep(isValid: (timeUs: number, number: number, kind: number) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.count; at += 1) {
      if (!isValid(this.times[at] as number, this.numbers[at] as number, this.kinds[at] as number)) continue;
      this.move(at, kept);
      kept += 1;
    }
    this.count = kept;
    this.shrink();
    for (let at = (kept >> 1) - 1; at >= 0; at -= 1) this.sink(at, this.times[at] as number, this.numbers[at] as number, this.kinds[at] as number);
  }

  private sink(from: number, timeUs: number, number: number, kind: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && (this.times[child + 1] as number) < (this.times[child] as number)) child += 1;
      if ((this.times[child] as number) >= timeUs) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, timeUs, number, kind);
  }

  private move(from: number, to: number): void {
    this.put(to, this.times[from] as number, this.numbers[from] as number, this.kinds[from] as number);
  }

  private put(at: number, timeUs: number, number: number, kind: number): void {
    this.times[at] = timeUs;
    this.numbers[at] = number;
    this.kinds[at] = kind;
  }

  private shrink(): void {
    let size = INITIAL;
    while (size < 2 * this.count) size *= 2;
    if (size < this.times.length / 4) this.resize(size);
  }

  private grow(): void {
    this.resize(this.count * 2);
  }

  private resize(size: number): void {
    const times = new Float64Array(size);
    times.set(this.times.subarray(0, this.count));
    this.times = times;
    const numbers = new Float64Array(size);
    numbers.set(this.numbers.subarray(0, this.count));
    this.numbers = numbers;
    const kinds = new Uint8Array(size);
    kinds.set(this.kinds.subarray(0, this.count));
    this.kinds = kinds;
  }
}
