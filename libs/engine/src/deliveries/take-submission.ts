/**
 * A batch of deliveries of another partition, decided in one turn of its target:
 *
 *   repeats              answered with their first verdicts
 *   the next ones        decided in order, up to the first that cannot be decided
 *   behind a hole        not looked at; the answer says where the target stands
 *
 * The answer leaves when everything that it says is durable.
 */
import { logpb, owedCommands, type DeliveryBatch, type OwedCommand, type OwedDeliveries } from '@sluice/protocol';
import type { Submission, SubmissionFailure } from '../capability';
import { decideInternal, type InternalCommand, type InternalVerdict, type StateByCapability } from '../internal/internal-command';
import type { Turn } from '../partition/turn';
import type { DecisionFaults } from './decision-faults';
import { deliveryId } from './delivery-id';
import type { DeliveryRoom } from './delivery-room';
import type { IncomingChannel } from './incoming-channel';
import { lastNumber } from './owed-window';
import { toProto, verdictOf } from './verdict';

/** What a command may record beside twice its bytes. */
const RECORD_BYTES = 512;
/** What the verdicts themselves take. */
const FRAME_BYTES = 4 << 10;

/** The partition could not take the batch, or the turn was lost. The source sends it again. */
export class DeliveryFailedError extends Error {
  constructor(readonly failure: SubmissionFailure) {
    super(`the deliveries were not taken: ${failure}`);
    this.name = 'DeliveryFailedError';
  }
}

export interface TakeDependencies {
  readonly room: DeliveryRoom;
  readonly stateOf: StateByCapability;
  readonly faults: DecisionFaults;
}

/** A command of a batch. Its key and its id are made when they are read. */
class DeliveredCommand implements InternalCommand {
  readonly origin = 'delivery';

  constructor(
    private readonly part: OwedDeliveries,
    private readonly command: OwedCommand,
    private readonly batch: DeliveryBatch,
    private readonly number: number,
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

  get id(): string {
    const { source, target } = this.batch;
    return deliveryId({ source, target, number: this.number });
  }
}

interface Undecidable {
  readonly number: number;
  readonly reason: string;
}

export class TakeSubmission implements Submission {
  readonly background = true;
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  /** The encoded DeliveryAnswer. Rejects with DeliveryFailedError. */
  readonly answer: Promise<Uint8Array>;
  /** Deliveries that were decided. */
  decided = 0;
  private answerIt!: (answer: Uint8Array) => void;
  private failIt!: (error: Error) => void;
  private encoded: Uint8Array = new Uint8Array(0);
  private readonly channel: IncomingChannel;
  private readonly dead: ReadonlySet<number>;

  constructor(
    private readonly batch: DeliveryBatch,
    sizeBytes: number,
    private readonly dependencies: TakeDependencies,
  ) {
    this.commandCount = batch.owed.reduce((sum, { count }) => sum + count, 0);
    this.sizeBytes = sizeBytes;
    this.recordBytes = sizeBytes * 2 + this.commandCount * RECORD_BYTES + FRAME_BYTES;
    this.channel = dependencies.room.incomingFrom(batch.source);
    this.dead = new Set(batch.dead);
    this.answer = new Promise((resolve, reject) => {
      this.answerIt = resolve;
      this.failIt = reject;
    });
  }

  decide(turn: Turn): void {
    const { batch, channel } = this;
    const { room } = this.dependencies;
    room.forget(batch.source, batch.recordedThrough, batch.lowestDead);
    const undecidable = batch.redriven > 0 ? this.decideRedriven(turn) : this.decideNew(turn);
    this.encoded = logpb.DeliveryAnswer.encode({
      takenThrough: BigInt(channel.taken),
      anchor: batch.owed.length === 0 ? channel.anchor : undefined,
      forgottenThrough: BigInt(channel.recordedThrough),
      ...this.verdicts(),
      undecidableNumber: BigInt(undecidable?.number ?? 0),
      undecidableReason: undecidable?.reason ?? '',
    }).finish();
  }

  settle(): void {
    this.answerIt(this.encoded);
  }

  fail(failure: SubmissionFailure): void {
    this.failIt(new DeliveryFailedError(failure));
  }

  // ---- deciding ----

  private decideNew(turn: Turn): Undecidable | undefined {
    const { batch, channel, dead } = this;
    let next = channel.taken + 1;
    let run: InternalCommand[] = [];
    for (const part of batch.owed) {
      if (lastNumber(part) < next) continue;
      if (part.firstNumber > next) break;
      for (const command of owedCommands(part, next - part.firstNumber)) {
        if (dead.has(next)) {
          const undecidable = this.decideRun(turn, run);
          if (undecidable !== undefined) return undecidable;
          run = [];
          this.dependencies.room.passOver(batch.source, next);
        } else run.push(new DeliveredCommand(part, command, batch, next));
        next += 1;
      }
    }
    const undecidable = this.decideRun(turn, run);
    const last = batch.owed.at(-1);
    if (batch.anchor !== undefined && last !== undefined && channel.taken === lastNumber(last)) channel.anchor = batch.anchor;
    return undecidable;
  }

  /** Decides the next commands, all of them or up to the first that cannot be decided. */
  private decideRun(turn: Turn, run: readonly InternalCommand[]): Undecidable | undefined {
    if (run.length === 0) return undefined;
    const { batch, channel } = this;
    const { room, faults } = this.dependencies;
    const first = channel.taken + 1;
    const verdicts = faults.decidesSingly(batch.source, first) ? this.oneByOne(turn, run) : this.atOnce(turn, run);
    for (const decided of verdicts) {
      const verdict = verdictOf(decided);
      if (verdict === undefined) break;
      room.take(batch.source, channel.taken + 1, verdict);
    }
    this.decided += channel.taken + 1 - first;
    const newest = verdicts.at(-1);
    return newest?.kind === 'undecidable' ? { number: channel.taken + 1, reason: newest.reason } : undefined;
  }

  private decideRedriven(turn: Turn): Undecidable | undefined {
    const { batch, channel } = this;
    const number = batch.redriven;
    if (!channel.dead.has(number)) return undefined;
    for (const part of batch.owed) {
      if (number < part.firstNumber || number > lastNumber(part)) continue;
      for (const command of owedCommands(part, number - part.firstNumber)) {
        const [decided] = this.oneByOne(turn, [new DeliveredCommand(part, command, batch, number)]);
        const verdict = decided && verdictOf(decided);
        if (verdict === undefined) return { number, reason: decided?.kind === 'undecidable' ? decided.reason : '' };
        this.dependencies.room.resolve(batch.source, number, verdict);
        this.decided += 1;
        return undefined;
      }
    }
    return { number, reason: 'the batch does not hold the command' };
  }

  private atOnce(turn: Turn, run: readonly InternalCommand[]): readonly InternalVerdict[] {
    const { faults, stateOf } = this.dependencies;
    try {
      return decideInternal(turn, run, stateOf);
    } catch (error) {
      faults.runThrew(this.batch.source, this.channel.taken + run.length);
      throw error;
    }
  }

  private oneByOne(turn: Turn, run: readonly InternalCommand[]): readonly InternalVerdict[] {
    const { faults, stateOf } = this.dependencies;
    const verdicts: InternalVerdict[] = [];
    for (const command of run) {
      const reason = faults.reasonAgainst(command.id);
      if (reason !== undefined) return [...verdicts, { kind: 'undecidable', reason }];
      try {
        verdicts.push(...decideInternal(turn, [command], stateOf));
      } catch (error) {
        faults.commandThrew(command.id, error);
        throw error;
      }
      if (verdicts.at(-1)?.kind === 'undecidable') break;
    }
    return verdicts;
  }

  // ---- answering ----

  /** What is not plainly accepted among the deliveries of the batch. */
  private verdicts(): Pick<logpb.DeliveryAnswer, 'verdicts' | 'deadNumbers'> {
    const { batch, channel } = this;
    if (batch.redriven > 0) {
      const verdict = channel.verdictOn(batch.redriven);
      return { verdicts: verdict === undefined ? [] : [toProto(batch.redriven, verdict)], deadNumbers: [] };
    }
    const [first] = batch.owed;
    const last = batch.owed.at(-1);
    if (first === undefined || last === undefined) return { verdicts: [], deadNumbers: [] };
    const inBatch = (number: number): boolean => number >= first.firstNumber && number <= lastNumber(last);
    const numbers = [...channel.verdicts.keys(), ...channel.redriven.keys()].filter(inBatch);
    return {
      verdicts: numbers.flatMap((number) => {
        const verdict = channel.verdictOn(number);
        return verdict === undefined ? [] : [toProto(number, verdict)];
      }),
      deadNumbers: [...channel.dead].filter(inBatch).map(BigInt),
    };
  }
}
