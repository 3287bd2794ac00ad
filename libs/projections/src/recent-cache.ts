/**
 * A bounded cache that keeps what was used lately, in two generations: what is used moves to the young one; when that is
 * full it becomes the old one, and the old one goes. It trades exact order of use for one map operation per access.
 */
export class RecentCache<Value> {
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();

  /** @param limit entries that it holds at most; it always keeps the half of them used last. */
  constructor(private readonly limit: number) {}

  get(key: string): Value | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const aged = this.old.get(key);
    if (aged !== undefined) this.set(key, aged);
    return aged;
  }

  set(key: string, value: Value): void {
    this.young.set(key, value);
    if (this.young.size * 2 < this.limit) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }

  /** An upper bound: what is in both generations counts twice. */
  get size(): number {
    return this.young.size + this.old.size;
  }
}
