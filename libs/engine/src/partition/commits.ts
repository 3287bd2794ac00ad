/**
 * Durable commits of a partition for those who need one again (repeats): waits until it is durable, then takes it from memory or from the
 * log. A few decoded ones are kept, because repeats come in flocks.
 */
import type { EventLog } from '@sluice/ports';
import { readCommit, verifyChecksum, type DecodedCommit } from '@sluice/protocol';
import type { RecentCommits } from './recent-commits';

const DECODED = 16;

/** The turn that would have made the commit is lost. */
export class TurnLostError extends Error {
  constructor() {
    super('the turn is lost');
    this.name = 'TurnLostError';
  }
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Commits {
  /** 0: memory is dropped, nothing can be waited for. */
  private durableSequence = 0;
  private waiters: Waiter[] = [];
  private readonly decoded = new Map<number, Promise<DecodedCommit>>();

  constructor(
    private readonly partition: number,
    private readonly log: EventLog,
    private readonly recent: RecentCommits,
  ) {}

  becameDurable(sequence: number): void {
    this.durableSequence = sequence;
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = waiters.filter((waiter) => waiter.sequence > sequence);
    for (const waiter of waiters) if (waiter.sequence <= sequence) waiter.resolve();
  }

  /** Memory is dropped: whoever waits gets TurnLostError, and so does who asks before it is loaded again. */
  lost(): void {
    const { waiters } = this;
    this.waiters = [];
    this.durableSequence = 0;
    this.decoded.clear();
    for (const waiter of waiters) waiter.reject(new TurnLostError());
  }

  async durable(sequence: number): Promise<DecodedCommit> {
    if (this.durableSequence === 0) throw new TurnLostError();
    if (sequence > this.durableSequence) await new Promise<void>((resolve, reject) => this.waiters.push({ sequence, resolve, reject }));
    const known = this.decoded.get(sequence);
    if (known !== undefined) return known;
    const commit = this.fetch(sequence);
    this.decoded.set(sequence, commit);
    commit.catch(() => this.decoded.delete(sequence));
    if (this.decoded.size > DECODED) this.decoded.delete(this.decoded.keys().next().value as number);
    return commit;
  }

  private async fetch(sequence: number): Promise<DecodedCommit> {
    const recent = this.recent.get(sequence);
    if (recent !== undefined) return readCommit(recent);
    const [record] = await this.log.read(this.partition, sequence, { maxCommits: 1, maxBytes: 1 });
    if (record === undefined || record.sequence !== sequence) throw new Error(`partition ${this.partition}: the log does not have sequence ${sequence}`);
    verifyChecksum(this.partition, sequence, record.bytes);
    return readCommit(record.bytes);
  }
}
