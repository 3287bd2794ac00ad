/**
 * What the requests of a turn did to aggregates whose kind gathers: the events of each aggregate are written together, with one event of all verdicts
 * behind them. A thousand scores of one contest are two events.
 *
 *   contest.ScoresRecorded (1,000 scores), log.RequestsDecided (1,000 verdicts)
 *
 * Verdicts are written when they are known. Events are gathered as values, or written into an open event by a capability that decides requests in
 * columns.
 */
import { RequestsDecidedWriter, type EventRecord } from '@sluice/protocol';
import type { Turn } from '../partition/turn';
import type { AggregateKey, AggregateKind } from './aggregate-kind';
import { addDecided, decidedRecord, type DecidedItem } from './recorded-requests';

/** An event that is written request by request. */
export interface OpenEvent {
  /** The whole event. Nothing is written into it from then on. */
  record(): EventRecord;
}

export class GatheredAggregate {
  readonly decided: RequestsDecidedWriter;
  private readonly records: EventRecord[] = [];
  private events: unknown[] = [];
  private opened: OpenEvent | undefined;

  constructor(
    private readonly kind: AggregateKind,
    private readonly key: AggregateKey,
    /** Of the commit of the aggregate before this one. */
    previousSequence: number,
  ) {
    const { capability, aggregate } = kind.definition;
    this.decided = new RequestsDecidedWriter({ capability, aggregate, key: key.text, previousSequence });
  }

  /** The last of its events, if that is open. */
  get openEvent(): OpenEvent | undefined {
    return this.opened;
  }

  /** Begins an event behind all others. */
  begin(event: OpenEvent): void {
    this.writeEvents();
    this.opened = event;
  }

  add(events: readonly unknown[], request: DecidedItem): void {
    if (events.length > 0 && this.opened !== undefined) this.writeEvents();
    for (const event of events) this.events.push(event);
    addDecided(this.decided, request);
  }

  /** Writes everything into the turn's commit. */
  write(turn: Turn): void {
    this.writeEvents();
    for (const { type, version, payload } of this.records) turn.event(type, version, payload);
    const { type, version, payload } = decidedRecord(this.decided);
    turn.event(type, version, payload);
  }

  private writeEvents(): void {
    const { kind, key, events, opened, records } = this;
    const { definition } = kind;
    if (events.length > 0) {
      const written = events.length > 1 ? (definition.gather?.(events) ?? events) : events;
      for (const event of written) records.push(definition.events.write(event, key.text));
      this.events = [];
    }
    if (opened === undefined) return;
    records.push(opened.record());
    this.opened = undefined;
  }
}

export class GatheredDecisions {
  /** By kind and key, in the order in which they were decided first. */
  private readonly aggregates = new Map<string, GatheredAggregate>();

  /** Of an aggregate in this turn. */
  of(kind: AggregateKind, key: AggregateKey, previousSequence: number): GatheredAggregate {
    const name = `${kind.definition.aggregate}/${key.text}`;
    let gathered = this.aggregates.get(name);
    if (gathered === undefined) {
      gathered = new GatheredAggregate(kind, key, previousSequence);
      this.aggregates.set(name, gathered);
    }
    return gathered;
  }

  /** Writes everything into the turn's commit. */
  flush(turn: Turn): void {
    const gathered = [...this.aggregates.values()];
    // An event has the turn write first what is gathered: that is nothing any more.
    this.aggregates.clear();
    for (const ofAggregate of gathered) ofAggregate.write(turn);
  }
}
