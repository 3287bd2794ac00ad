/**
 * One run of a partition's writer: what waits is decided in order and becomes one commit.
 */
import type { CommitWriter, EventMark } from '@sluice/protocol';
import type { Submission } from '../capability';
import type { DueCommand, EngineRooms, OwedDelivery, TimerName } from '../internal/engine-room';
import { WhenDurable } from '../internal/when-durable';

const NONE: readonly string[] = [];

/** Gathers what it decides in a turn, to write it together. */
export interface Gatherer {
  /** Writes what it has gathered into the turn's commit: at the end of a turn, and before an event of another kind. */
  flush(turn: Turn): void;
}

export class Turn {
  commandCount = 0;
  private gathering: Gatherer | undefined;
  private readonly stores: (() => Promise<void>)[] = [];
  private readonly ends: (() => void)[] = [];

  constructor(
    /** The sequence that its commit will have. */
    readonly sequence: number,
    /** Commit time, microseconds; never before the previous commit's. */
    readonly committedAtUs: number,
    readonly commit: CommitWriter,
    private readonly rooms: EngineRooms,
    /** Who waits for it; others may join it who depend on the same commit. */
    readonly submissions: Submission[],
    /** W3C traceparents of those in it that are traced. */
    readonly traceparents: readonly string[] = NONE,
  ) {}

  /** The gatherer will write later what it gathers now; what another one gathered before is written first, so that order holds. */
  gather(gatherer: Gatherer): void {
    if (this.gathering === gatherer) return;
    this.gathering?.flush(this);
    this.gathering = gatherer;
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

  /** Has it decided, behind everything that was submitted, what follows from all of that. */
  atEnd(decide: () => void): void {
    this.ends.push(decide);
  }

  /** Has the work done when the turn is decided, and before its commit is appended: stores what an event of the turn names. */
  beforeAppend(store: () => Promise<void>): void {
    this.stores.push(store);
  }

  /** Begins that work; undefined: there is none. */
  storeBeforeAppend(): Promise<unknown> | undefined {
    return this.stores.length === 0 ? undefined : Promise.all(this.stores.map((store) => store()));
  }

  /** The partition owes the command to the partition of its key: recorded in this commit, sent when it is durable. Returns its id. */
  owe(delivery: OwedDelivery): string {
    return this.rooms.deliveries.owe(this, delivery);
  }

  /** The command is due at its time, in this partition. A pending timer of the same name is replaced. */
  setTimer(timer: DueCommand): void {
    this.rooms.timers.set(this, timer);
  }

  cancelTimer(timer: TimerName): void {
    this.rooms.timers.cancel(this, timer);
  }

  /** Calls back when this commit, or the newest before it if the turn records nothing, is durable; never if the turn is lost. */
  whenDurable(handOut: () => void): void {
    this.submissions.push(new WhenDurable(handOut));
  }

  /** Everything is decided: writes what is gathered, and what the turn changed in the engine's rooms. */
  close(): void {
    for (const decide of this.ends) decide();
    this.flush();
    this.rooms.deliveries.flush(this);
    this.rooms.timers.flush(this);
  }

  /** Writes what is gathered. */
  flush(): void {
    const { gathering } = this;
    this.gathering = undefined;
    gathering?.flush(this);
  }
}
