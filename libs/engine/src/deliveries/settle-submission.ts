/**
 * Verdicts on consecutive deliveries, recorded at their source in one turn together with what the capabilities that owed them do about them.
 * The deliveries of the turn that records them have their verdicts for ever.
 */
import { owedCommands, type logpb } from '@sluice/protocol';
import type { Submission } from '../capability';
import type { SettledDelivery } from '../internal/engine-room';
import type { StateByCapability } from '../internal/internal-command';
import type { Turn } from '../partition/turn';
import type { DecisionFaults } from './decision-faults';
import { deliveryId } from './delivery-id';
import type { DeliveryRoom } from './delivery-room';
import type { OwedPart } from './owed-window';
import { ACCEPTED, type Verdict } from './verdict';

/** What the reaction to a verdict may record, the command that it may owe then included. */
const RECORD_BYTES = 1_024;
const FRAME_BYTES = 4 << 10;

export interface SettleDependencies {
  readonly partition: number;
  readonly room: DeliveryRoom;
  readonly stateOf: StateByCapability;
  readonly faults: DecisionFaults;
}

/** Verdicts on the deliveries of one target from `from` through `to`. */
export interface Settlement {
  readonly target: number;
  readonly from: number;
  readonly to: number;
  /** They hold the deliveries, and may hold others. */
  readonly parts: readonly OwedPart[];
  /** Those that are not plainly accepted. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  /** Dead letters that the target has passed over. */
  readonly dead: ReadonlySet<number>;
}

export class SettleSubmission implements Submission {
  readonly background = true;
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;

  constructor(
    private readonly settlement: Settlement,
    private readonly dependencies: SettleDependencies,
    private readonly durable: () => void,
  ) {
    this.commandCount = settlement.to - settlement.from + 1;
    this.sizeBytes = settlement.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.recordBytes = this.sizeBytes * 2 + this.commandCount * RECORD_BYTES + FRAME_BYTES;
  }

  decide(turn: Turn): void {
    const { target, from, to } = this.settlement;
    const { room, faults } = this.dependencies;
    const channel = room.outgoingTo(target);
    if (from !== channel.settled + 1) throw new Error(`deliveries ${from} to ${to} of partition ${target} are settled behind ${channel.settled}`);
    try {
      this.settleRuns(turn);
    } catch (error) {
      faults.reactionThrew(target);
      throw error;
    }
  }

  settle(): void {
    this.durable();
  }

  /** The memory is dropped; the next one sends the deliveries again and gets the same verdicts. */
  fail(): void {}

  private settleRuns(turn: Turn): void {
    const { target, to, parts, verdicts, dead } = this.settlement;
    const { room } = this.dependencies;
    const channel = room.outgoingTo(target);
    const rejections: logpb.SettledRejection[] = [];
    let run: SettledDelivery[] = [];
    let owedBy = '';
    for (const part of parts) {
      if (part.owedBy !== owedBy) {
        this.tell(turn, owedBy, run);
        run = [];
        owedBy = part.owedBy;
      }
      for (const settled of this.deliveriesOf(part)) {
        const { number } = settled;
        if (dead.has(number)) continue;
        const verdict = verdicts.get(number) ?? ACCEPTED;
        if (channel.dead.has(number)) room.settleDead(target, number, verdict);
        else if (!verdict.accepted) rejections.push({ number: BigInt(number), reason: verdict.reason });
        run.push({ ...settled.delivery, ...verdict });
      }
    }
    this.tell(turn, owedBy, run);
    room.settle(target, to, rejections);
  }

  private tell(turn: Turn, capability: string, run: readonly SettledDelivery[]): void {
    if (run.length > 0) this.dependencies.stateOf(capability)?.settled?.(turn, run);
  }

  private *deliveriesOf(part: OwedPart): Generator<{ readonly number: number; readonly delivery: Omit<SettledDelivery, keyof Verdict> }> {
    const { target, from, to } = this.settlement;
    const { capability, method, owedBy, firstNumber } = part;
    const source = this.dependencies.partition;
    let number = Math.max(from, firstNumber);
    for (const { key, payload, owedByKey } of owedCommands(part, number - firstNumber)) {
      if (number > to) return;
      const id = deliveryId({ source, target, number });
      yield { number, delivery: { capability, method, key, payload, owedBy: { capability: owedBy, key: owedByKey }, id } };
      number += 1;
    }
  }
}

/** The verdict on a dead letter that was sent again. */
export class SettleDeadSubmission implements Submission {
  readonly background = true;
  readonly commandCount = 1;
  readonly sizeBytes: number;
  readonly recordBytes: number;

  constructor(
    private readonly letter: { readonly target: number; readonly number: number; readonly part: OwedPart; readonly verdict: Verdict },
    private readonly dependencies: SettleDependencies,
    private readonly durable: () => void,
  ) {
    this.sizeBytes = letter.part.bytes.length;
    this.recordBytes = this.sizeBytes * 2 + RECORD_BYTES + FRAME_BYTES;
  }

  decide(turn: Turn): void {
    const { target, number, part, verdict } = this.letter;
    const { room, stateOf, faults, partition } = this.dependencies;
    if (!room.outgoingTo(target).dead.has(number)) return;
    const [command] = owedCommands(part, number - part.firstNumber);
    if (command === undefined) throw new Error(`delivery ${number} of partition ${target} is not where it should be`);
    const { key, payload, owedByKey } = command;
    const { capability, method, owedBy } = part;
    const id = deliveryId({ source: partition, target, number });
    try {
      stateOf(owedBy)?.settled?.(turn, [{ capability, method, key, payload, owedBy: { capability: owedBy, key: owedByKey }, id, ...verdict }]);
    } catch (error) {
      faults.reactionThrew(target);
      throw error;
    }
    room.settleDead(target, number, verdict);
  }

  settle(): void {
    this.durable();
  }

  fail(): void {}
}
