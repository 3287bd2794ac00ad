/**
 * The newest durable commits of a partition, by sequence, within a bound of bytes: what repeats and the publisher ask for first.
 */
export class RecentCommits {
  private readonly commits = new Map<number, Uint8Array>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  add(sequence: number, commit: Uint8Array): void {
    this.commits.set(sequence, commit);
    this.bytes += commit.length;
    for (const [oldest, bytes] of this.commits) {
      if (this.bytes <= this.limitBytes || oldest === sequence) break;
      this.commits.delete(oldest);
      this.bytes -= bytes.length;
    }
  }

  get(sequence: number): Uint8Array | undefined {
    return this.commits.get(sequence);
  }

  clear(): void {
    this.commits.clear();
    this.bytes = 0;
  }
}
