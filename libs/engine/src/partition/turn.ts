/**
 * One run of a partition's writer: what waits is decided in order and becomes one commit.
 */
import type { CommitWriter, EventMark } from '@sluice/protocol';
import type { CapabilityState, Submission } from '../capability';

const NONE: readonly string[] = [];

export class Turn {
  commandCount = 0;
  private gathering: CapabilityState | undefined;
  private readonly stores: (() => Promise<void>)[] = [];

  constructor(
    /** The sequence that its commit will have. */
    readonly sequence: number,
    /** Commit time, microseconds; never before the previous commit's. */
    readonly committedAtUs: number,
    readonly commit: CommitWriter,
    /** Who waits for it; others may join it who depend on the same commit. */
    readonly submissions: Submission[],
    /** W3C traceparents of those in it that are traced. */
    readonly traceparents: readonly string[] = NONE,
  ) {}

  /** The capability will write later what it gathers now; what another one gathered before is written first, so that order holds. */
  gather(state: CapabilityState): void {
    if (this.gathering === state) return;
    this.gathering?.flush(this);
    this.gathering = state;
  }

  /** Opens an event after everything that was gathered. */
  openEvent(type: string, version: number): EventMark {
    this.flush();
    return this.commit.openEvent(type, version);
  }

  event(type: string, version: number, payload: Uint8Array): void {
    this.flush();
    this.commit.event(type, version, payload);
  }

  /** Has the work done when the turn is decided, and before its commit is appended: stores what an event of the turn names. */
  beforeAppend(store: () => Promise<void>): void {
    this.stores.push(store);
  }

  /** Begins that work; undefined: there is none. */
  storeBeforeAppend(): Promise<unknown> | undefined {
    return this.stores.length === 0 ? undefined : Promise.all(this.stores.map((store) => store()));
  }

  /** Writes what is gathered. */
  flush(): void {
    const state = this.gathering;
    this.gathering = undefined;
    state?.flush(this);
  }
}
