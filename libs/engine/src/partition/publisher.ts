/**
 * Publishing follows the log: durable commits go to the bus in order, one after the other. What is not in memory any more is read from
 * the log; an unreachable bus is tried again with back-off. Nobody waits for it: readers heal from the log.
 */
import type { Bus, Clock, EventLog } from '@sluice/ports';
import type { TracedPublishing } from '../engine-observer';
import type { RecentCommits } from './recent-commits';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Traced commits that wait to be published, at most; beyond it the oldest are published without their trace. */
const TRACED_LIMIT = 1_000;
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
  /** Of commits that wait and whose requests are traced: what their publishing continues. */
  private readonly traced = new Map<number, string>();

  constructor(
    private readonly partition: number,
    private readonly bus: Bus,
    private readonly log: EventLog,
    private readonly recent: RecentCommits,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
    private readonly publishing: (sequence: number, traceparent: string) => TracedPublishing | undefined,
  ) {}

  /** Begins behind this sequence: what the bus and the oldest projector checkpoint lack. */
  begin(published: number, durable: number): void {
    this.published = published;
    this.durable = Math.max(durable, this.durable);
    this.begun = true;
    this.drive();
  }

  /** A commit is durable; where its requests are traced, publishing it continues the traceparent. */
  offer(sequence: number, traceparent?: string): void {
    this.durable = sequence;
    if (traceparent !== undefined) this.trace(sequence, traceparent);
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
    if (this.traced.size === 0) await this.bus.publish({ partition: this.partition, sequence, bytes });
    else await this.publishTraced(sequence, bytes);
    if (this.published === sequence - 1) this.published = sequence;
  }

  private async publishTraced(sequence: number, bytes: Uint8Array): Promise<void> {
    const parent = this.traced.get(sequence);
    const span = parent === undefined ? undefined : this.publishing(sequence, parent);
    try {
      await this.bus.publish({ partition: this.partition, sequence, bytes, traceparent: span?.traceparent });
    } catch (error) {
      span?.ended(error);
      throw error;
    }
    span?.ended();
    this.traced.delete(sequence);
  }

  private trace(sequence: number, traceparent: string): void {
    this.traced.set(sequence, traceparent);
    const [oldest] = this.traced.keys();
    if (this.traced.size > TRACED_LIMIT && oldest !== undefined) this.traced.delete(oldest);
  }
}
