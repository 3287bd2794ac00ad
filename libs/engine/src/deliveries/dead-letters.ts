/**
 * Dead letters to one target as the log has them, and those of them that an operator has asked to send again. They go one by one, beside the
 * batches, when the target has passed over them. One that cannot be decided again is a dead letter again after the budget.
 */
import { encodeDeliveryBatch, logpb, type DeliveryBatchHeader } from '@sluice/protocol';
import { BackOff } from './back-off';
import type { ChannelSenderDependencies } from './channel-sender';
import { partsOf, readCommits } from './log-parts';
import { lastNumber, type OwedPart } from './owed-window';
import { RecordSubmission } from './record-submission';
import { SettleDeadSubmission } from './settle-submission';
import { fromProto } from './verdict';

interface Sending {
  readonly number: number;
  readonly sinceMs: number;
  attempts: number;
  reason: string;
  state: 'unsent' | 'sent' | 'recording';
}

export class DeadLetters {
  /** Number → to be sent again. */
  private readonly letters = new Map<number, boolean>();
  private sending: Sending | undefined;
  private recordedThrough = 0;
  private stopped = false;
  private readonly backOff: BackOff;

  constructor(
    private readonly target: number,
    private readonly dependencies: ChannelSenderDependencies,
    private readonly headerFor: (redriven: number) => DeliveryBatchHeader,
  ) {
    const { room, clock } = dependencies;
    for (const { number, redriven } of room.outgoingTo(target).dead.values()) this.letters.set(number, redriven);
    this.backOff = new BackOff(clock, () => this.pump(this.recordedThrough));
  }

  /** Whether one is to be sent again. */
  get waiting(): boolean {
    for (const redriven of this.letters.values()) if (redriven) return true;
    return false;
  }

  /** The lowest one; 0: there is none. */
  get lowest(): number {
    let lowest = 0;
    for (const number of this.letters.keys()) if (lowest === 0 || number < lowest) lowest = number;
    return lowest;
  }

  between(from: number, to: number): number[] {
    return [...this.letters.keys()].filter((number) => number >= from && number <= to);
  }

  describe(number: number): { readonly state: logpb.DeliveryState; readonly attempts: number; readonly reason: string } | undefined {
    const redriven = this.letters.get(number);
    if (redriven === undefined) return undefined;
    const letter = this.dependencies.room.outgoingTo(this.target).dead.get(number);
    const { attempts = 0, reason = '' } = letter ?? {};
    if (!redriven) return { state: logpb.DeliveryState.DELIVERY_STATE_DEAD, attempts, reason };
    const sending = this.sending?.number === number ? this.sending : { attempts: 0, reason };
    return { state: logpb.DeliveryState.DELIVERY_STATE_REDRIVEN, attempts: sending.attempts, reason: sending.reason };
  }

  /** It is recorded as a dead letter. */
  add(number: number): void {
    this.letters.set(number, false);
  }

  redrive(numbers: readonly number[]): void {
    for (const number of numbers) if (this.letters.has(number)) this.letters.set(number, true);
  }

  /** Verdicts are recorded: a dead letter among them that the target has not passed over has one, too. */
  settled(from: number, to: number, passedOver: ReadonlySet<number>): void {
    for (const number of this.between(from, to)) if (!passedOver.has(number)) this.letters.delete(number);
  }

  drive(): void {
    this.backOff.end();
  }

  stop(): void {
    this.stopped = true;
    this.backOff.end();
  }

  /** Sends the next one. @param recordedThrough the target has passed over those through this number. */
  pump(recordedThrough: number): void {
    this.recordedThrough = recordedThrough;
    if (this.stopped || this.backOff.pausing) return;
    const sending = (this.sending ??= this.next());
    if (sending?.state === 'unsent') void this.send(sending);
  }

  private next(): Sending | undefined {
    for (const [number, redriven] of this.letters) {
      if (redriven && number <= this.recordedThrough)
        return { number, sinceMs: this.dependencies.clock.monotonicMs(), attempts: 0, reason: '', state: 'unsent' };
    }
    return undefined;
  }

  private async send(sending: Sending): Promise<void> {
    const { number } = sending;
    sending.state = 'sent';
    sending.attempts += 1;
    try {
      const part = await this.find(number);
      if (this.stopped) return;
      const batch = encodeDeliveryBatch(this.headerFor(number), [part.bytes]);
      const answer = logpb.DeliveryAnswer.decode(await this.dependencies.send(this.target, batch));
      if (this.stopped) return;
      this.answered(sending, part, answer);
    } catch (error) {
      if (this.stopped) return;
      sending.state = 'unsent';
      sending.reason = error instanceof Error ? error.message : String(error);
      this.backOff.failed();
    }
  }

  private answered(sending: Sending, part: OwedPart, answer: logpb.DeliveryAnswer): void {
    const { number } = sending;
    const { submit, clock, budget } = this.dependencies;
    const found = answer.verdicts.find((verdict) => Number(verdict.number) === number);
    if (found !== undefined) {
      const letter = { target: this.target, number, part, verdict: fromProto(found) };
      const submitted = submit(new SettleDeadSubmission(letter, this.dependencies, () => this.done(() => this.letters.delete(number))));
      sending.state = submitted ? 'recording' : 'unsent';
      if (!submitted) this.backOff.failed();
      return;
    }
    sending.state = 'unsent';
    sending.reason = Number(answer.undecidableNumber) === number ? answer.undecidableReason : 'the target keeps no verdict on it';
    if (sending.attempts >= budget.attempts && clock.monotonicMs() - sending.sinceMs >= budget.milliseconds) this.giveUpAgain(sending);
    else this.backOff.failed();
  }

  private giveUpAgain(sending: Sending): void {
    const { number, reason, attempts } = sending;
    const { room, submit } = this.dependencies;
    const submitted = submit(
      new RecordSubmission(
        (turn) => room.giveUp(turn, this.target, number, reason, attempts),
        () => this.done(() => this.letters.set(number, false)),
      ),
    );
    sending.state = submitted ? 'recording' : 'unsent';
    if (!submitted) this.backOff.failed();
  }

  private done(change: () => void): void {
    change();
    this.sending = undefined;
    this.backOff.succeeded();
    this.pump(this.recordedThrough);
  }

  /** The event that owes the delivery, from the log. */
  private async find(number: number): Promise<OwedPart> {
    const { log, partition, room } = this.dependencies;
    let from = room.outgoingTo(this.target).sequenceOf(number);
    for (;;) {
      const { commits, last } = await readCommits(log, partition, from);
      for (const commit of commits) {
        const part = partsOf(commit, this.target).find((one) => one.firstNumber <= number && lastNumber(one) >= number);
        if (part !== undefined) return part;
      }
      if (last === undefined) throw new Error(`the log does not owe delivery ${number} to partition ${this.target}`);
      from = last + 1;
    }
  }
}
