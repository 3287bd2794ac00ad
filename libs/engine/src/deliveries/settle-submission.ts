/**
 * Verdicts on consecutive deliveries, recorded at their source in one turn together with what the capabilities that owed them do about them.
 * The deliveries of the turn that records them have their verdicts for ever.
 */
import { owedCommands, type logpb, type OwedCommand } from '@sluice/protocol';
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

/** A settled delivery of a run. Its keys and its id are made when they are read. */
class DeliveryWithVerdict implements SettledDelivery {
  constructor(
    private readonly source: number,
    private readonly part: OwedPart,
    private readonly command: OwedCommand,
    private readonly number: number,
    private readonly verdict: Verdict,
  ) {}

  get capability(): string {
    return this.part.capability;
  }

  get method(): string {
    return this.part.method;
  }

  get key(): string {
    return this.command.key;
  }

  get payload(): Uint8Array {
    return this.command.payload;
  }

  get partition(): number {
    return this.part.target;
  }

  get owedBy(): SettledDelivery['owedBy'] {
    return { capability: this.part.owedBy, key: this.command.owedByKey };
  }

  get id(): string {
    return deliveryId({ source: this.source, target: this.part.target, number: this.number });
  }

  get accepted(): boolean {
    return this.verdict.accepted;
  }

  get reason(): string {
    return this.verdict.reason;
  }

  get answer(): Uint8Array {
    return this.verdict.answer;
  }
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
    this.recordBytes = this.sizeBytes * 2 + this.commandCount * RECORD_BYTES + answerBytes(settlement.verdicts) + FRAME_BYTES;
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
    const { target, from, to, parts, verdicts, dead } = this.settlement;
    const { room, partition } = this.dependencies;
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
      let number = Math.max(from, part.firstNumber);
      for (const command of owedCommands(part, number - part.firstNumber)) {
        if (number > to) break;
        if (!dead.has(number)) {
          const verdict = verdicts.get(number) ?? ACCEPTED;
          if (channel.dead.has(number)) room.settleDead(target, number, verdict);
          else if (!verdict.accepted) rejections.push({ number: BigInt(number), reason: verdict.reason });
          run.push(new DeliveryWithVerdict(partition, part, command, number, verdict));
        }
        number += 1;
      }
    }
    this.tell(turn, owedBy, run);
    room.settle(target, to, rejections);
  }

  private tell(turn: Turn, capability: string, run: readonly SettledDelivery[]): void {
    if (run.length > 0) this.dependencies.stateOf(capability)?.settled?.(turn, run);
  }
}

/** A reaction may record what its target has answered. */
function answerBytes(verdicts: Settlement['verdicts']): number {
  let bytes = 0;
  for (const { answer } of verdicts.values()) bytes += answer.length;
  return bytes;
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
    try {
      stateOf(part.owedBy)?.settled?.(turn, [new DeliveryWithVerdict(partition, part, command, number, verdict)]);
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
