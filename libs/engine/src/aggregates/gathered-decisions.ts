/**
 * What the requests of a turn did to aggregates whose kind gathers: the events of each aggregate are written together, with one event of all verdicts
 * behind them. A thousand scores of one contest are two events.
 *
 *   contest.ScoresRecorded (1,000 scores), log.RequestsDecided (1,000 verdicts)
 */
import type { Turn } from '../partition/turn';
import type { AggregateKey, AggregateKind } from './aggregate-kind';
import { requestDecided, requestsDecided, type DecidedItem } from './recorded-requests';

interface OfAggregate {
  readonly kind: AggregateKind;
  readonly key: AggregateKey;
  /** Of the commit of the aggregate before this one. */
  readonly previousSequence: number;
  readonly events: unknown[];
  readonly requests: DecidedItem[];
}

export class GatheredDecisions {
  /** By kind and key, in the order in which they were decided first. */
  private readonly aggregates = new Map<string, OfAggregate>();

  add(kind: AggregateKind, key: AggregateKey, previousSequence: number, events: readonly unknown[], request: DecidedItem): void {
    const name = `${kind.definition.aggregate}/${key.text}`;
    let gathered = this.aggregates.get(name);
    if (gathered === undefined) {
      gathered = { kind, key, previousSequence, events: [], requests: [] };
      this.aggregates.set(name, gathered);
    }
    for (const event of events) gathered.events.push(event);
    gathered.requests.push(request);
  }

  /** Writes everything into the turn's commit. */
  flush(turn: Turn): void {
    const gathered = [...this.aggregates.values()];
    // An event has the turn write first what is gathered: that is nothing any more.
    this.aggregates.clear();
    for (const ofAggregate of gathered) write(turn, ofAggregate);
  }
}

function write(turn: Turn, { kind: { definition }, key, previousSequence, events, requests }: OfAggregate): void {
  const written = events.length > 1 ? (definition.gather?.(events) ?? events) : events;
  for (const event of written) {
    const { type, version, payload } = definition.events.write(event, key.text);
    turn.event(type, version, payload);
  }
  const name = { capability: definition.capability, aggregate: definition.aggregate, key: key.text, previousSequence };
  const [only] = requests;
  const decided = requests.length === 1 && only !== undefined ? requestDecided({ ...name, ...only }) : requestsDecided(name, requests);
  turn.event(decided.type, decided.version, decided.payload);
}
