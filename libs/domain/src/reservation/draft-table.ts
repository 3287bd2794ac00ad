/** What is read and changed of a map. */
export interface Table<Value> {
  readonly size: number;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  set(key: string, value: Value): unknown;
  delete(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<Value>;
  [Symbol.iterator](): IterableIterator<[string, Value]>;
}

/**
 * A table as a decision changes it, while the table below stays as it is: it takes time for what is changed, not for what is there. Its order is that of a
 * map to which the same was done. The table below must not change while the draft is used.
 */
export class DraftTable<Value extends object> implements Table<Value> {
  /** Keys of the table below that were deleted. */
  private readonly deleted = new Set<string>();
  /** Values that replace those of the table below, in its order. */
  private readonly replaced = new Map<string, Value>();
  private readonly added = new Map<string, Value>();

  constructor(private readonly below: Table<Value>) {}

  get size(): number {
    return this.below.size - this.deleted.size + this.added.size;
  }

  get(key: string): Value | undefined {
    const own = this.added.get(key) ?? this.replaced.get(key);
    return own !== undefined || this.deleted.has(key) ? own : this.below.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: Value): void {
    const isBelow = this.below.has(key) && !this.deleted.has(key);
    (isBelow ? this.replaced : this.added).set(key, value);
  }

  delete(key: string): boolean {
    if (this.added.delete(key)) return true;
    if (!this.below.has(key) || this.deleted.has(key)) return false;
    this.replaced.delete(key);
    this.deleted.add(key);
    return true;
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this) yield key;
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): IterableIterator<[string, Value]> {
    for (const [key, value] of this.below) if (!this.deleted.has(key)) yield [key, this.replaced.get(key) ?? value];
    yield* this.added;
  }
}
