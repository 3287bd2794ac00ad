/**
 * What one partition owes to others, and what it has taken from them: state of the partition's memory, ahead of the log until the turn's
 * commit is durable. The deliveries of an ordered pair of partitions are numbered, like a connection with cumulative acknowledgements:
 *
 *   source   DeliveriesOwed ──────────────── batches ───────────────▶ DeliveriesTaken   target
 *            DeliveriesSettled ◀──────────── verdicts ──────────────  (with what they changed)
 *            DeliveriesDead, DeliveriesRedriven
 *
 * Nothing here sends: `DeliverySender` does, what is durable.
 */
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import { logEvents, type logpb, OwedDeliveriesWriter, readOwedDeliveries, type DecodedCommit, type EventHandlersOf, type OwedKind } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { DeliveriesRoom, OwedDelivery } from '../internal/engine-room';
import type { Turn } from '../partition/turn';
import { deliveryId } from './delivery-id';
import { IncomingChannel } from './incoming-channel';
import { MAXIMUM_DELIVERY_BYTES, PART_COMMANDS, PARTS_PER_BATCH, WINDOW_BYTES } from './limits';
import { OutgoingChannel } from './outgoing-channel';
import type { WindowBudget } from './owed-window';
import { snapshotOf, restoreBlock } from './room-snapshot';
import { ACCEPTED, fromProto, isPlain, toProto, type Verdict } from './verdict';

/** What a turn has changed in a channel and has to write into its commit. */
interface Taking {
  readonly channel: IncomingChannel;
  readonly from: number;
  readonly verdicts: logpb.DeliveryVerdict[];
  readonly dead: bigint[];
  readonly redriven: logpb.DeliveryVerdict[];
}

interface Owing {
  readonly channel: OutgoingChannel;
  readonly events: OwedDeliveriesWriter[];
}

interface Settling {
  readonly channel: OutgoingChannel;
  readonly from: number;
  readonly rejections: logpb.SettledRejection[];
  readonly resolved: bigint[];
}

export class DeliveryRoom implements DeliveriesRoom {
  readonly name = 'deliveries';
  readonly snapshotVersion = 1;
  /** By target. */
  readonly outgoing = new Map<number, OutgoingChannel>();
  /** By source. */
  readonly incoming = new Map<number, IncomingChannel>();
  private readonly partBytes: number;
  private readonly budget: WindowBudget = { bytes: 0, limitBytes: WINDOW_BYTES };
  private owing = new Map<number, Owing>();
  private taking = new Map<number, Taking>();
  private settling = new Map<number, Settling>();

  constructor(
    readonly partition: number,
    private readonly partitions: number,
    batchBytes: number,
  ) {
    this.partBytes = batchBytes / PARTS_PER_BATCH;
  }

  outgoingTo(target: number): OutgoingChannel {
    let channel = this.outgoing.get(target);
    if (channel === undefined) {
      channel = new OutgoingChannel(target, this.budget);
      this.outgoing.set(target, channel);
    }
    return channel;
  }

  incomingFrom(source: number): IncomingChannel {
    let channel = this.incoming.get(source);
    if (channel === undefined) {
      channel = new IncomingChannel(source);
      this.incoming.set(source, channel);
    }
    return channel;
  }

  /** Deliveries without a verdict. */
  get unfinished(): number {
    let count = 0;
    for (const channel of this.outgoing.values()) count += channel.unfinished;
    return count;
  }

  // ---- as a source ----

  /** Throws RangeError for a payload that no batch could carry. */
  owe(_turn: Turn, { capability, method, key, partition, wholeKey = false, payload, owedBy }: OwedDelivery): string {
    if (payload.length > MAXIMUM_DELIVERY_BYTES) throw new RangeError(`a delivery of ${payload.length} bytes; ${MAXIMUM_DELIVERY_BYTES} are the most`);
    const target = partition ?? (wholeKey ? partitionOfWholeKey : partitionOfKey)(Buffer.from(key, 'utf8'), this.partitions);
    const owing = this.owingTo(target);
    const number = owing.channel.owed + 1;
    const newest = owing.events.at(-1);
    const writer =
      newest !== undefined && newest.sizeBytes < this.partBytes && takesMore(newest, owedBy.capability, capability, method)
        ? newest
        : this.openEvent(owing, number, { target, owedBy: owedBy.capability, capability, method });
    writer.add(key, payload, owedBy.key);
    owing.channel.owed = number;
    return deliveryId({ source: this.partition, target, number });
  }

  /** Records verdicts of consecutive deliveries; what their capabilities do about them is in the same turn. */
  settle(target: number, through: number, rejections: readonly logpb.SettledRejection[]): void {
    const settling = this.settlingOf(target);
    settling.channel.settleThrough(through);
    settling.rejections.push(...rejections);
  }

  /** Records that a dead letter has its verdict. */
  settleDead(target: number, number: number, { accepted, reason }: Verdict): void {
    const settling = this.settlingOf(target);
    settling.channel.dead.delete(number);
    settling.resolved.push(BigInt(number));
    if (!accepted) settling.rejections.push({ number: BigInt(number), reason });
  }

  /** Records that the target could not decide the delivery. */
  giveUp(turn: Turn, target: number, number: number, reason: string, attempts: number): void {
    this.outgoingTo(target).giveUp(number, reason, attempts);
    record(turn, 'DeliveriesDead', { target, letters: [{ number: BigInt(number), reason, attempts }] });
  }

  /** Records that dead letters are sent again; returns how many of the numbers are dead letters that were not to be sent again before. */
  redrive(turn: Turn, target: number, numbers: readonly number[]): number {
    const channel = this.outgoingTo(target);
    const chosen = numbers.filter((number) => channel.dead.get(number)?.redriven === false);
    if (chosen.length === 0) return 0;
    for (const number of chosen) channel.redrive(number);
    record(turn, 'DeliveriesRedriven', { target, numbers: chosen.map(BigInt) });
    return chosen.length;
  }

  // ---- as a target ----

  take(source: number, number: number, verdict: Verdict): void {
    const taking = this.takingFrom(source);
    taking.channel.take(number, verdict);
    if (!isPlain(verdict)) taking.verdicts.push(toProto(number, verdict));
  }

  passOver(source: number, number: number): void {
    const taking = this.takingFrom(source);
    taking.channel.passOver(number);
    taking.dead.push(BigInt(number));
  }

  resolve(source: number, number: number, verdict: Verdict): void {
    const taking = this.takingFrom(source);
    taking.channel.resolve(number, verdict);
    taking.redriven.push(toProto(number, verdict));
  }

  /** What the source said of what it has recorded. It is written with the next verdicts: a target that keeps more than it must is harmless. */
  forget(source: number, recordedThrough: number, lowestDead: number): void {
    this.incomingFrom(source).forget(recordedThrough, lowestDead);
  }

  // ---- the turn's commit ----

  flush(turn: Turn): void {
    if (this.settling.size > 0) this.writeSettled(turn);
    if (this.taking.size > 0) this.writeTaken(turn);
    if (this.owing.size > 0) this.writeOwed(turn);
  }

  private writeSettled(turn: Turn): void {
    const { settling } = this;
    this.settling = new Map();
    for (const { channel, from, rejections, resolved } of settling.values()) {
      record(turn, 'DeliveriesSettled', {
        target: channel.target,
        firstNumber: BigInt(from),
        lastNumber: BigInt(channel.settled),
        rejections,
        resolvedNumbers: resolved,
      });
    }
  }

  private writeTaken(turn: Turn): void {
    const { taking } = this;
    this.taking = new Map();
    for (const { channel, from, verdicts, dead, redriven } of taking.values()) {
      record(turn, 'DeliveriesTaken', {
        source: channel.source,
        firstNumber: BigInt(from),
        lastNumber: BigInt(channel.taken),
        verdicts,
        deadNumbers: dead,
        redriven,
        recordedThrough: BigInt(channel.recordedThrough),
        lowestDeadNumber: BigInt(channel.lowestDead),
        anchor: channel.anchor,
      });
    }
  }

  private writeOwed(turn: Turn): void {
    const { owing } = this;
    this.owing = new Map();
    const { type, version } = logEvents.written('DeliveriesOwed');
    for (const { channel, events } of owing.values()) {
      for (const event of events) {
        const part = { ...event.finish(), sequence: turn.sequence };
        turn.commit.event(type, version, part.bytes);
        channel.append(part);
      }
    }
  }

  private owingTo(target: number): Owing {
    let owing = this.owing.get(target);
    if (owing === undefined) {
      owing = { channel: this.outgoingTo(target), events: [] };
      this.owing.set(target, owing);
    }
    return owing;
  }

  private openEvent(owing: Owing, number: number, kind: OwedKind): OwedDeliveriesWriter {
    const writer = new OwedDeliveriesWriter(kind, number);
    owing.events.push(writer);
    return writer;
  }

  private takingFrom(source: number): Taking {
    let taking = this.taking.get(source);
    if (taking === undefined) {
      const channel = this.incomingFrom(source);
      taking = { channel, from: channel.taken + 1, verdicts: [], dead: [], redriven: [] };
      this.taking.set(source, taking);
    }
    return taking;
  }

  private settlingOf(target: number): Settling {
    let settling = this.settling.get(target);
    if (settling === undefined) {
      const channel = this.outgoingTo(target);
      settling = { channel, from: channel.settled + 1, rejections: [], resolved: [] };
      this.settling.set(target, settling);
    }
    return settling;
  }

  // ---- snapshots ----

  beginSnapshot(): SnapshotSession {
    return snapshotOf(this);
  }

  restore(block: Uint8Array): void {
    restoreBlock(this, block);
  }
}

function takesMore(writer: OwedDeliveriesWriter, owedBy: string, capability: string, method: string): boolean {
  const { kind, count } = writer;
  return kind.method === method && kind.capability === capability && kind.owedBy === owedBy && count < PART_COMMANDS;
}

type DeliveryEvent = 'DeliveriesTaken' | 'DeliveriesSettled' | 'DeliveriesDead' | 'DeliveriesRedriven';

function record<Name extends DeliveryEvent>(turn: Turn, name: Name, event: Parameters<typeof logEvents.record<Name>>[1]): void {
  const { type, version, payload } = logEvents.record(name, event);
  turn.event(type, version, payload);
}

interface Replaying {
  readonly room: DeliveryRoom;
  readonly commit: DecodedCommit;
}

type Handlers = EventHandlersOf<typeof logEvents, Replaying, undefined>;

/** Takes the room's events from the log. */
export const DELIVERY_EVENTS: Pick<Handlers, DeliveryEvent | 'DeliveriesOwed'> = {
  DeliveriesOwed: (event, { room, commit }) => {
    // A copy: a view would keep the whole page of the log in memory.
    const owed = readOwedDeliveries(Buffer.from(event));
    room.outgoingTo(owed.target).append({ ...owed, sequence: commit.sequence, checksum: Buffer.from(commit.checksum) });
    return undefined;
  },
  DeliveriesTaken: (event, { room }) => {
    const channel = room.incomingFrom(event.source);
    const verdicts = new Map(event.verdicts.map((verdict) => [Number(verdict.number), fromProto(verdict)]));
    const dead = new Set(event.deadNumbers.map(Number));
    for (let number = Number(event.firstNumber); number <= Number(event.lastNumber); number += 1) {
      if (dead.has(number)) channel.passOver(number);
      else channel.take(number, verdicts.get(number) ?? ACCEPTED);
    }
    for (const verdict of event.redriven) channel.resolve(Number(verdict.number), fromProto(verdict));
    if (event.anchor !== undefined) channel.anchor = event.anchor;
    channel.forget(Number(event.recordedThrough), Number(event.lowestDeadNumber));
    return undefined;
  },
  DeliveriesSettled: ({ target, firstNumber, lastNumber, resolvedNumbers }, { room }) => {
    const channel = room.outgoingTo(target);
    for (const number of resolvedNumbers) channel.dead.delete(Number(number));
    if (lastNumber >= firstNumber) channel.settleThrough(Number(lastNumber));
    return undefined;
  },
  DeliveriesDead: (event, { room }) => {
    for (const { number, reason, attempts } of event.letters) room.outgoingTo(event.target).giveUp(Number(number), reason, attempts);
    return undefined;
  },
  DeliveriesRedriven: (event, { room }) => {
    for (const number of event.numbers) room.outgoingTo(event.target).redrive(Number(number));
    return undefined;
  },
};
