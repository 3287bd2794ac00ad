/**
 * The smallest capability that owes deliveries: it sends texts to keys, keeps what arrived in order, and what it was told of what it sent. The
 * first word of a text says what its target does with it:
 *
 *   refuse    rejects it            answer    accepts it with an answer        later     cannot decide it until `understands` is set
 *   throw     a programmer's error  reply     owes a text back to the sender         mood      accepts it while `understands` is set, else rejects it
 */
import { partitionOfKey } from '@sluice/domain';
import type { EventRecord } from '@sluice/protocol';
import type { Capability, CapabilityState, SnapshotSession, Submission, SubmissionFailure } from '../capability';
import type { SettledDelivery } from '../internal/engine-room';
import type { InternalCommand, InternalVerdict } from '../internal/internal-command';
import type { Turn } from '../partition/turn';

export interface Sent {
  readonly from: string;
  readonly to: string;
  /** Undefined: the partition of `to`. */
  readonly partition?: number;
  readonly text: string;
}

export interface Arrived {
  readonly id: string;
  readonly key: string;
  readonly text: string;
}

export interface Told {
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly outcome: string;
}

/** Bends of the capability that a test sets, for all partitions of one process. */
export interface Courier extends Capability {
  understands: boolean;
  throws: boolean;
  /** What `settled` throws, if anything. */
  reactionThrows: boolean;
}

const NOTHING = new Uint8Array(0);

export class CourierState implements CapabilityState {
  readonly sent: string[] = [];
  readonly arrived: Arrived[] = [];
  readonly told: Told[] = [];

  constructor(private readonly courier: Courier) {}

  send(turn: Turn, { from, to, partition, text }: Sent): string {
    const owedBy = { capability: 'courier', key: from };
    const id = turn.owe({ capability: 'courier', method: 'Carry', key: to, ...(partition !== undefined && { partition }), payload: Buffer.from(text), owedBy });
    this.record(turn, 'Sent', id);
    this.sent.push(id);
    return id;
  }

  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const { id, key, payload } of commands) {
      const text = Buffer.from(payload).toString();
      const verdict = this.decide(text);
      verdicts.push(verdict);
      if (verdict.kind === 'undecidable') break;
      const arrived: Arrived = { id, key, text };
      this.arrived.push(arrived);
      this.record(turn, 'Arrived', arrived);
      if (text.startsWith('reply ')) this.send(turn, { from: key, to: text.split(' ')[1] as string, text: `from ${id}` });
    }
    return verdicts;
  }

  settled(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    if (this.courier.reactionThrows) throw new Error('the reaction failed');
    for (const { id, owedBy, payload, accepted, reason, answer } of deliveries) {
      const outcome = accepted ? `accepted ${Buffer.from(answer).toString()}`.trim() : `rejected ${reason}`;
      const told: Told = { id, from: owedBy.key, text: Buffer.from(payload).toString(), outcome };
      this.told.push(told);
      this.record(turn, 'Told', told);
    }
  }

  flush(): void {}

  replay({ type, payload }: EventRecord): undefined {
    const event: unknown = JSON.parse(Buffer.from(payload).toString());
    if (type === 'courier.Sent') this.sent.push(event as string);
    else if (type === 'courier.Arrived') this.arrived.push(event as Arrived);
    else this.told.push(event as Told);
  }

  beginSnapshot(): SnapshotSession {
    const { sent, arrived, told } = this;
    const blocks = [Buffer.from(JSON.stringify({ sent, arrived, told }))];
    return { next: () => blocks.pop(), end: () => undefined };
  }

  restore(block: Uint8Array): void {
    const { sent, arrived, told } = JSON.parse(Buffer.from(block).toString()) as { sent: string[]; arrived: Arrived[]; told: Told[] };
    this.sent.push(...sent);
    this.arrived.push(...arrived);
    this.told.push(...told);
  }

  private decide(text: string): InternalVerdict {
    const [what = ''] = text.split(' ');
    switch (what) {
      case 'refuse':
        return { kind: 'rejected', reason: 'REFUSED', payload: NOTHING };
      case 'answer':
        return { kind: 'accepted', payload: Buffer.from(text.slice(what.length + 1)) };
      case 'later':
        return this.courier.understands ? { kind: 'accepted', payload: NOTHING } : { kind: 'undecidable', reason: 'not understood' };
      case 'mood':
        return this.courier.understands ? { kind: 'accepted', payload: NOTHING } : { kind: 'rejected', reason: 'MOODY', payload: NOTHING };
      case 'throw':
        if (this.courier.throws) throw new Error('this text makes it throw');
        return { kind: 'accepted', payload: NOTHING };
      default:
        return { kind: 'accepted', payload: NOTHING };
    }
  }

  private record(turn: Turn, event: string, what: unknown): void {
    turn.event(`courier.${event}`, 1, Buffer.from(JSON.stringify(what)));
  }
}

export function courier(): Courier {
  const made: Courier = { name: 'courier', understands: false, throws: true, reactionThrows: false, createState: () => new CourierState(made) };
  return made;
}

/** A key that lives in the partition. */
export function keyIn(partition: number, partitions: number, label = 'key'): string {
  for (let at = 0; ; at += 1) {
    const key = `${label}-${at}`;
    if (partitionOfKey(Buffer.from(key), partitions) === partition) return key;
  }
}

export type Dispatched = readonly string[] | SubmissionFailure;

/** Texts that one caller sends from one partition. */
export class Dispatch implements Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  /** Ids of the deliveries, or why nothing was sent or nobody knows. */
  readonly outcome: Promise<Dispatched>;
  private readonly ids: string[] = [];
  private resolve!: (outcome: Dispatched) => void;

  constructor(
    private readonly stateOf: () => CapabilityState,
    private readonly texts: readonly Sent[],
  ) {
    this.commandCount = texts.length;
    this.sizeBytes = texts.reduce((sum, { text }) => sum + text.length, 0);
    this.recordBytes = this.sizeBytes + texts.length * 200;
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  decide(turn: Turn): void {
    for (const text of this.texts) this.ids.push((this.stateOf() as CourierState).send(turn, text));
  }

  settle(): void {
    this.resolve(this.ids);
  }

  fail(failure: SubmissionFailure): void {
    this.resolve(failure);
  }
}
