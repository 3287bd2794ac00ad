/**
 * Publishing follows the log: durable commits go to the bus in order, one after the other. What is not in memory any more is read from
 * the log; an unreachable bus is tried again with back-off. Nobody waits for it: readers heal from the log.
 */
import type { Bus, Clock, EventLog } from '@sluice/ports';
import type { RecentCommits } from './recent-commits';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
const PAGE = { maxCommits: 100, maxBytes: 8 << 20 };

export class Publisher {
  private published = 0;
  private durable = 0;
  /** What the bus has is known. */
  private begun = false;
  private running = false;
  private stopped = false;
  private cancelRetry: (() => void) | undefined;
  private retryMs = FIRST_RETRY_MS;

  constructor(
    private readonly partition: number,
    private readonly bus: Bus,
    private readonly log: EventLog,
    private readonly recent: RecentCommits,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Begins behind this sequence: what the bus and the oldest projector checkpoint lack. */
  begin(published: number, durable: number): void {
    this.published = published;
    this.durable = Math.max(durable, this.durable);
    this.begun = true;
    this.drive();
  }

  /** A commit is durable. */
  offer(sequence: number): void {
    this.durable = sequence;
    this.drive();
  }

  /** The bus lost what it had (a deleted stream): publish again from behind this sequence. */
  rewind(published: number): void {
    this.published = Math.min(this.published, published);
    this.drive();
  }

  get behind(): number {
    return this.durable - this.published;
  }

  stop(): void {
    this.stopped = true;
    this.cancelRetry?.();
  }

  private drive(): void {
    if (this.running || this.stopped || !this.begun || this.cancelRetry !== undefined || this.published >= this.durable) return;
    this.running = true;
    void this.run();
  }

  private async run(): Promise<void> {
    try {
      while (!this.stopped && this.published < this.durable) {
        const next = this.published + 1;
        const bytes = this.recent.get(next);
        if (bytes !== undefined) await this.publish(next, bytes);
        else await this.publishFromLog(next);
      }
      this.retryMs = FIRST_RETRY_MS;
    } catch (error) {
      this.onError(error);
      this.cancelRetry = this.clock.after(this.retryMs, () => {
        this.cancelRetry = undefined;
        this.drive();
      });
      this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
    } finally {
      this.running = false;
    }
  }

  private async publishFromLog(fromSequence: number): Promise<void> {
    const page = await this.log.read(this.partition, fromSequence, PAGE);
    if (page[0]?.sequence !== fromSequence) throw new Error(`partition ${this.partition}: the log does not have sequence ${fromSequence}`);
    for (const record of page) await this.publish(record.sequence, record.bytes);
  }

  private async publish(sequence: number, bytes: Uint8Array): Promise<void> {
    if (this.stopped || sequence > this.durable) return;
    await this.bus.publish({ partition: this.partition, sequence, bytes });
    if (this.published === sequence - 1) this.published = sequence;
  }
}
