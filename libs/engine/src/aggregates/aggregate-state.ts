/**
 * The aggregates of one capability in one partition. Each request leaves its events and, behind them, its verdict in the turn's commit:
 *
 *   counter.Added, counter.Added, log.RequestDecided, counter.Added, log.RequestDecided …
 *
 * A kind that gathers has its events and verdicts of a turn together (gathered-decisions.ts).
 *
 * Replay holds events until their verdict names the aggregate to which they belong. Repeats are answered from the verdict
 * (`aggregate-submission.ts`). What deliveries and timers ask for comes through the same decider; the engine knows their repeats by itself.
 */
import { logpb, type CommitHeader, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import type { CapabilityState, PartitionServices, SnapshotSession } from '../capability';
import type { SettledDelivery } from '../internal/engine-room';
import type { InternalCommand, InternalVerdict } from '../internal/internal-command';
import type { Gatherer, Turn } from '../partition/turn';
import type { AnyAggregate, Consequences, DecisionContext, RequestBody, RequestOrigin } from './aggregate-definition';
import type { CommitSearch } from '../requests/commit-search';
import { aggregateKey, AggregateKind, type AggregateKey } from './aggregate-kind';
import { AggregateInTurn } from './aggregate-in-turn';
import type { AggregateRequest } from './aggregate-submission';
import { AggregatesSnapshot, restoreBlock } from './aggregates-snapshot';
import { GatheredDecisions } from './gathered-decisions';
import { requestDecided, type RequestVerdict } from './recorded-requests';
import { requestIdHash } from './request-id-hash';

const NOTHING: Uint8Array = new Uint8Array(0);

/** Reads states of a capability. */
export interface AggregateReader {
  /** Undefined: nothing of the aggregate is recorded. Read only. */
  stateOf(aggregate: string, key: string): unknown;
  /** Sequence of the newest commit in which something of the aggregate was decided; 0: none. */
  sequenceOf(aggregate: string, key: string): number;
}

/** Who asked for what is recorded, and what is said to a caller. */
interface Asked {
  readonly requestId: string;
  readonly origin: RequestOrigin;
  readonly bodyDigest: Uint8Array | undefined;
}

export interface AggregateStateOptions {
  readonly capability: string;
  readonly aggregates: readonly AnyAggregate[];
  /** What siblings in the partition may read, made once. */
  readonly view?: (states: AggregateReader) => unknown;
  readonly trouble: (partition: number, what: string, error: unknown) => void;
}

export class AggregateState implements CapabilityState, AggregateReader, Gatherer {
  readonly siblingView: unknown;
  private readonly kinds: ReadonlyMap<string, AggregateKind>;
  /** Which kind has a method. */
  private readonly kindsByMethod = new Map<string, AggregateKind>();
  private readonly gathered = new GatheredDecisions();
  /** Events whose verdict was not read yet, and the commit that they are of. */
  private held: EventRecord[] = [];
  private heldOf = 0;

  constructor(
    private readonly services: PartitionServices,
    private readonly options: AggregateStateOptions,
  ) {
    this.kinds = new Map(options.aggregates.map((definition) => [definition.aggregate, new AggregateKind(definition, services.seeds)]));
    for (const kind of this.kinds.values()) for (const method of Object.keys(kind.definition.commands)) this.kindsByMethod.set(method, kind);
    this.siblingView = options.view?.(this);
  }

  // ---- reading ----

  stateOf(aggregate: string, key: string): unknown {
    return this.kindOf(aggregate).store.find(aggregateKey(this.services.seeds, key))?.state;
  }

  sequenceOf(aggregate: string, key: string): number {
    return this.kindOf(aggregate).store.find(aggregateKey(this.services.seeds, key))?.sequence ?? 0;
  }

  /** Total of the kind in the partition; undefined: the snapshot that it was restored from does not say it. */
  totalOf(aggregate: string): number | undefined {
    return this.kindOf(aggregate).total;
  }

  get commitSearch(): CommitSearch {
    return this.services.commitSearch;
  }

  recall(sequence: number): Promise<DecodedCommit> {
    return this.services.recall(sequence);
  }

  trouble(what: string, error: unknown): void {
    this.options.trouble(this.services.partition, what, error);
  }

  // ---- deciding ----

  /** Decides a caller's request that is new. */
  decide(turn: Turn, request: AggregateRequest): RequestVerdict {
    const kind = this.kindOf(request.aggregate);
    const { key, requestId, bodyDigest } = request;
    const asked: Asked = { requestId, origin: 'caller', bodyDigest };
    const decision = kind.definition.decide(kind.stateOf(key), request.command, this.contextOf(turn, asked));
    if (decision.accepted) {
      const verdict: RequestVerdict = { kind: 'accepted', reply: decision.reply ?? NOTHING };
      const recordedBytes = this.record(turn, kind, key, asked, verdict, decision);
      if (recordedBytes > request.recordBytes) this.reportTooSmall(kind, request, recordedBytes);
      this.services.index.add(request.hashFirst, request.hashSecond, turn.sequence);
      return verdict;
    }
    const verdict: RequestVerdict = { kind: 'rejected', reason: decision.reason, metadata: decision.metadata ?? {} };
    if (decision.recorded) {
      this.record(turn, kind, key, asked, verdict, undefined);
      this.services.index.add(request.hashFirst, request.hashSecond, turn.sequence);
    }
    return verdict;
  }

  /** For requests that a capability decides in columns. */
  inTurn(turn: Turn, aggregate: string, key: AggregateKey): AggregateInTurn {
    const kind = this.kindOf(aggregate);
    if (kind.definition.gather === undefined) throw new Error(`${aggregate} does not gather: its requests cannot be decided in columns`);
    return new AggregateInTurn(kind, key, turn, this, this.gathered);
  }

  /** The request of a caller is decided in the commit. */
  remember(hashFirst: number, hashSecond: number, sequence: number): void {
    this.services.index.add(hashFirst, hashSecond, sequence);
  }

  /** Deliveries are decided in order: nothing behind the first one that cannot be decided is. */
  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const command of commands) {
      const verdict = this.decideOne(turn, command);
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
    }
    return verdicts;
  }

  recordBytesOf(method: string, payload: Uint8Array): number | undefined {
    const command = this.kindsByMethod.get(method)?.definition.commands[method];
    try {
      return command?.read(payload).recordBytes;
    } catch {
      // It is not decided: nothing of it is recorded.
      return undefined;
    }
  }

  private decideOne(turn: Turn, { method, key: keyText, payload, id: requestId, origin }: InternalCommand): InternalVerdict {
    const kind = this.kindsByMethod.get(method);
    const command = kind?.definition.commands[method];
    if (kind === undefined || command === undefined) return { kind: 'undecidable', reason: `${this.options.capability} has no method ${method}` };
    let body: RequestBody<unknown>;
    try {
      body = command.read(payload);
    } catch (error) {
      return { kind: 'undecidable', reason: `${method} cannot be read: ${error instanceof Error ? error.message : String(error)}` };
    }
    if (body.key !== '' && body.key !== keyText) return { kind: 'undecidable', reason: `${method} names ${body.key} and is for ${keyText}` };
    const key = aggregateKey(this.services.seeds, keyText);
    const asked: Asked = { requestId, origin, bodyDigest: undefined };
    const decision = kind.definition.decide(kind.stateOf(key), body.command, this.contextOf(turn, asked));
    if (!decision.accepted) return { kind: 'rejected', reason: decision.reason, payload: NOTHING };
    const reply = decision.reply ?? NOTHING;
    this.recordConsequences(turn, kind, key, asked, decision);
    return { kind: 'accepted', payload: reply };
  }

  settled(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    for (const delivery of deliveries) {
      const { kind, key } = this.ownerOf(delivery);
      const asked: Asked = { requestId: delivery.id, origin: 'settled', bodyDigest: undefined };
      const consequences = kind.definition.settled?.(kind.stateOf(key), delivery, this.contextOf(turn, asked));
      if (consequences !== undefined) this.recordConsequences(turn, kind, key, asked, consequences);
    }
  }

  private contextOf({ committedAtUs, sequence }: Turn, { origin, requestId }: Asked): DecisionContext {
    return { origin, requestId, committedAtUs, sequence, sibling: (capability) => this.services.sibling(capability) };
  }

  /** Of what the engine asked for: the engine records the verdict, so that without consequences nothing is left to record. */
  private recordConsequences(turn: Turn, kind: AggregateKind, key: AggregateKey, asked: Asked, consequences: Consequences<unknown>): void {
    const { events, owes = [], timers = [], handOut } = consequences;
    if (events.length + owes.length + timers.length > 0) this.record(turn, kind, key, asked, { kind: 'accepted', reply: NOTHING }, consequences);
    else if (handOut !== undefined) turn.whenDurable(handOut);
  }

  /** Returns how many bytes that takes of the commit, about. */
  private record(
    turn: Turn,
    kind: AggregateKind,
    key: AggregateKey,
    asked: Asked,
    verdict: RequestVerdict,
    consequences: Consequences<unknown> | undefined,
  ): number {
    const { capability, aggregate } = kind.definition;
    const changed = kind.changedIn(turn.sequence, key);
    const gathers = kind.definition.gather !== undefined;
    let bytes = 0;
    for (const event of consequences?.events ?? []) {
      if (!gathers) {
        const { type, version, payload } = kind.definition.events.write(event, key.text);
        turn.event(type, version, payload);
        bytes += payload.length;
      }
      kind.evolve(changed, event, turn);
    }
    for (const owed of consequences?.owes ?? []) {
      turn.owe({ ...owed, owedBy: { capability, key: `${aggregate}/${key.text}` } });
      bytes += owed.payload.length;
    }
    for (const change of consequences?.timers ?? []) {
      const name = { capability, key: key.text, timerId: `${aggregate}/${change.timerId}` };
      if (change.kind === 'set') turn.setTimer({ ...name, dueAtUs: change.dueAtUs, method: change.method, payload: change.payload });
      else turn.cancelTimer(name);
    }
    if (consequences?.handOut !== undefined) turn.whenDurable(consequences.handOut);
    if (gathers) {
      turn.gather(this);
      this.gathered.of(kind, key, changed.previous).add(consequences?.events ?? [], { ...asked, verdict });
      return bytes;
    }
    const decided = requestDecided({ capability, aggregate, key: key.text, ...asked, verdict, previousSequence: changed.previous });
    turn.event(decided.type, decided.version, decided.payload);
    return bytes + decided.payload.length;
  }

  /** Turns are filled by what methods say: one that says too little could make a commit that the log does not take. */
  private reportTooSmall({ definition }: AggregateKind, { recordBytes, requestId }: AggregateRequest, recordedBytes: number): void {
    const what = `${definition.aggregate}: request ${requestId} recorded ${recordedBytes} bytes, its method says ${recordBytes} at most`;
    this.trouble('a decision records more than its method says', new Error(what));
  }

  /** Writes what the turn gathered; everything else is written when it is decided. */
  flush(turn: Turn): void {
    this.gathered.flush(turn);
  }

  private kindOf(aggregate: string): AggregateKind {
    const kind = this.kinds.get(aggregate);
    if (kind === undefined) throw new Error(`${this.options.capability} has no aggregates of the kind "${aggregate}"`);
    return kind;
  }

  private ownerOf({ owedBy }: SettledDelivery): { readonly kind: AggregateKind; readonly key: AggregateKey } {
    const slash = owedBy.key.indexOf('/');
    return { kind: this.kindOf(owedBy.key.slice(0, slash)), key: aggregateKey(this.services.seeds, owedBy.key.slice(slash + 1)) };
  }

  // ---- the log ----

  replay(event: EventRecord, { sequence, partition }: CommitHeader): undefined {
    if (this.held.length > 0 && this.heldOf !== sequence)
      throw new Error(`partition ${partition}, sequence ${this.heldOf}: events without a verdict behind them`);
    this.heldOf = sequence;
    this.held.push(event);
  }

  replayRequest(decided: logpb.RequestDecided, commit: CommitHeader): void {
    const kind = this.kindOf(decided.aggregate);
    const key = aggregateKey(this.services.seeds, decided.key);
    const events = this.held;
    this.held = [];
    if (events.length > 0 && this.heldOf !== commit.sequence)
      throw new Error(`partition ${commit.partition}, sequence ${this.heldOf}: events without a verdict behind them`);
    const changed = kind.changedIn(commit.sequence, key);
    for (const event of events) kind.evolve(changed, kind.definition.events.read(event, commit), commit);
    if (decided.origin !== logpb.RequestOrigin.REQUEST_ORIGIN_CALLER) return;
    const { first, second } = requestIdHash(this.services.seeds, kind.definition, key, decided.requestId);
    this.services.index.add(first, second, commit.sequence);
  }

  // ---- snapshots ----

  beginSnapshot(): SnapshotSession {
    return new AggregatesSnapshot([...this.kinds.values()]);
  }

  restore(block: Uint8Array, version: number): void {
    restoreBlock(block, version, (aggregate) => this.kindOf(aggregate));
  }
}
