/**
 * An aggregate in a turn, for a capability that decides requests in columns: its kind gathers, its state is changed in place, and the capability
 * writes events and verdicts by itself.
 */
import type { Gatherer, Turn } from '../partition/turn';
import type { AggregateKey, AggregateKind } from './aggregate-kind';
import type { GatheredAggregate, GatheredDecisions } from './gathered-decisions';

export class AggregateInTurn {
  /** To be read; to be changed once something is recorded. */
  state: unknown;
  private gathered: GatheredAggregate | undefined;

  constructor(
    private readonly kind: AggregateKind,
    private readonly key: AggregateKey,
    private readonly turn: Turn,
    private readonly gatherer: Gatherer,
    private readonly decisions: GatheredDecisions,
  ) {
    this.state = kind.stateOf(key);
  }

  /** Where events and verdicts are written. Who asks for it writes a verdict: without one nothing of the aggregate is recorded. */
  record(): GatheredAggregate {
    return (this.gathered ??= this.begin());
  }

  private begin(): GatheredAggregate {
    const { kind, key, turn } = this;
    turn.gather(this.gatherer);
    const { state, previous } = kind.changedIn(turn.sequence, key);
    this.state = state;
    return this.decisions.of(kind, key, previous);
  }
}
