/**
 * Numbers of tasks in the order in which they are started: higher priority first, then lower number. Entries are not removed when a task
 * goes another way: the reader drops what is not valid any more when it comes to the top.
 */
/** So few are kept within the object itself: a queue with few tasks, of which there may be many, takes little. */
const INITIAL = 8;

export class ReadyHeap {
  private priorities = new Int32Array(INITIAL);
  private numbers = new Float64Array(INITIAL);
  private count = 0;
  private purgedUpTo = 0;

  get size(): number {
    return this.count;
  }

  get topPriority(): number {
    return this.priorities[0] as number;
  }

  /** 0: it is empty. */
  get topNumber(): number {
    return this.count === 0 ? 0 : (this.numbers[0] as number);
  }

  push(priority: number, number: number): void {
    if (this.count === this.numbers.length) this.grow();
    let at = this.count;
    this.count += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(priority, number, this.priorities[parent] as number, this.numbers[parent] as number)) break;
      this.priorities[at] = this.priorities[parent] as number;
      this.numbers[at] = this.numbers[parent] as number;
      at = parent;
    }
    this.priorities[at] = priority;
    this.numbers[at] = number;
  }

  /** Drops the top. */
  pop(): void {
    this.count -= 1;
    if (this.count > 0) this.sink(0, this.priorities[this.count] as number, this.numbers[this.count] as number);
  }

  /** Drops everything at once if a purge ended all that was in it then. @param upToNumber what a purge has ended; at a purge it is the newest number. */
  purge(upToNumber: number): void {
    if (this.purgedUpTo === upToNumber) return;
    this.purgedUpTo = upToNumber;
    this.count = 0;
    this.priorities = new Int32Array(INITIAL);
    this.numbers = new Float64Array(INITIAL);
  }

  /** Keeps the entries that are valid, and those only. */
  keep(isValid: (number: number) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.count; at += 1) {
      if (!isValid(this.numbers[at] as number)) continue;
      this.priorities[kept] = this.priorities[at] as number;
      this.numbers[kept] = this.numbers[at] as number;
      kept += 1;
    }
    this.count = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at -= 1) this.sink(at, this.priorities[at] as number, this.numbers[at] as number);
  }

  private sink(from: number, priority: number, number: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.count) break;
      const right = child + 1;
      if (
        right < this.count &&
        isBefore(this.priorities[right] as number, this.numbers[right] as number, this.priorities[child] as number, this.numbers[child] as number)
      )
        child = right;
      if (!isBefore(this.priorities[child] as number, this.numbers[child] as number, priority, number)) break;
      this.priorities[at] = this.priorities[child] as number;
      this.numbers[at] = this.numbers[child] as number;
      at = child;
    }
    this.priorities[at] = priority;
    this.numbers[at] = number;
  }

  private grow(): void {
    const priorities = new Int32Array(this.count * 2);
    priorities.set(this.priorities);
    this.priorities = priorities;
    const numbers = new Float64Array(this.count * 2);
    numbers.set(this.numbers);
    this.numbers = numbers;
  }
}

function isBefore(leftPriority: number, leftNumber: number, rightPriority: number, rightNumber: number): boolean {
  return leftPriority > rightPriority || (leftPriority === rightPriority && leftNumber < rightNumber);
}
