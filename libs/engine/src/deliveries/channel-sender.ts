/**
 * Sends what a partition owes to one target, and has its verdicts recorded.
 *
 *   idle ──something is owed──▶ asking ──the target's history fits──▶ open
 *     ▲                           │ │                                   │
 *     └──────── not reached ──────┘ └── it does not fit ──▶ halted ◀────┘   (driven again by an operator, or by the next memory)
 *
 *   batch: unsent ──▶ sent ──verdicts──▶ answered ──those before it, too──▶ settled in a turn of the source ──durable──▶ forgotten
 *            ▲          │
 *            └──────────┘ not reached, behind a hole, not decidable
 *
 * Up to four batches are on their way. After a failure one batch goes first, and the others follow when it is answered. A batch leaves when its
 * commits are durable; what the target is told of recorded verdicts and dead letters is durable, too.
 */
import type { Clock, EventLog } from '@sluice/ports';
import { encodeDeliveryBatch, logpb } from '@sluice/protocol';
import type { Submission } from '../capability';
import type { StateByCapability } from '../internal/internal-command';
import type { RecentCommits } from '../partition/recent-commits';
import { BackOff } from './back-off';
import type { DecisionFaults } from './decision-faults';
import { DeadLetters } from './dead-letters';
import type { DeliveryRoom } from './delivery-room';
import type { DeliveryBudget } from './delivery-budget';
import { BATCH_COMMANDS, BATCHES_IN_FLIGHT, BATCHES_TO_SETTLE } from './limits';
import { checksumOf, partsOf, readCommits } from './log-parts';
import type { OutgoingChannel } from './outgoing-channel';
import { lastNumber, type OwedPart } from './owed-window';
import { RecordSubmission } from './record-submission';
import { SettleSubmission, type Settlement } from './settle-submission';
import { fromProto, type Verdict } from './verdict';

export interface ChannelSenderDependencies {
  readonly partition: number;
  /** Of the log, 16 bytes. */
  readonly incarnation: Uint8Array;
  readonly room: DeliveryRoom;
  readonly recent: RecentCommits;
  readonly stateOf: StateByCapability;
  readonly faults: DecisionFaults;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly budget: DeliveryBudget;
  readonly batchBytes: number;
  /** Sends an encoded batch to a partition, and resolves with its encoded answer. */
  readonly send: (target: number, batch: Uint8Array) => Promise<Uint8Array>;
  /** False: the queue is full. */
  readonly submit: (submission: Submission) => boolean;
  /** So many deliveries have verdicts that are durable at the source. */
  readonly settled: (count: number) => void;
  readonly trouble: (what: string, error: unknown) => void;
}

type Phase = 'idle' | 'asking' | 'open' | 'halted';

interface Flight {
  /** The first delivery whose verdict is not handed on. */
  first: number;
  readonly last: number;
  parts: readonly OwedPart[];
  state: 'unsent' | 'sent' | 'answered';
  /** Verdicts are known through this number. */
  answeredThrough: number;
  readonly verdicts: Map<number, Verdict>;
  readonly dead: Set<number>;
}

/** A delivery that the target cannot decide now. */
interface Undecidable {
  readonly number: number;
  readonly sinceMs: number;
  reason: string;
  attempts: number;
}

export class ChannelSender {
  private phase: Phase = 'idle';
  private stopped = false;
  /** Commits through this sequence are durable. */
  private durableSequence = 0;
  private readonly channel: OutgoingChannel;
  private readonly backOff: BackOff;
  private readonly letters: DeadLetters;
  private flights: Flight[] = [];
  /** The first delivery that no flight carries. */
  private next: number;
  /** Verdicts through this number are durable at the source. */
  private recordedThrough: number;
  /** Verdicts through this number were handed on to be recorded. */
  private handedThrough: number;
  /** Waiting for the queue, then for their turn. */
  private readonly toSubmit: Settlement[] = [];
  private settling = 0;
  /** A batch has failed and none was answered since. */
  private recovering = false;
  private reading = false;
  /** Commits through this sequence were read again for the window. */
  private readThrough = 0;
  private undecidable: Undecidable | undefined;
  private givingUp = false;
  private lastReason = '';

  constructor(
    readonly target: number,
    private readonly dependencies: ChannelSenderDependencies,
  ) {
    const { room, clock, faults } = dependencies;
    this.channel = room.outgoingTo(target);
    this.next = this.channel.settled + 1;
    this.recordedThrough = this.channel.settled;
    this.handedThrough = this.channel.settled;
    this.backOff = new BackOff(clock, () => this.pump());
    this.letters = new DeadLetters(target, dependencies, (number) => this.header({ redriven: number }));
    if (faults.haltsReactions(target)) this.halt('recording the verdicts failed in this process; see its log');
  }

  /** How the delivery stands, for people. */
  describe(number: number): { readonly state: logpb.DeliveryState; readonly attempts: number; readonly reason: string } {
    const letter = this.letters.describe(number);
    if (letter !== undefined) return letter;
    if (this.phase === 'halted') return { state: logpb.DeliveryState.DELIVERY_STATE_HALTED, attempts: 0, reason: this.lastReason };
    const waiting = { state: logpb.DeliveryState.DELIVERY_STATE_WAITING, attempts: 0, reason: '' };
    if (this.undecidable !== undefined && number >= this.undecidable.number) {
      const { attempts, reason } = this.undecidable;
      return number === this.undecidable.number ? { state: logpb.DeliveryState.DELIVERY_STATE_RETRYING, attempts, reason } : waiting;
    }
    const carried = number < this.next;
    const { failures } = this.backOff;
    if (failures > 0 && (carried || number === this.next))
      return { state: logpb.DeliveryState.DELIVERY_STATE_RETRYING, attempts: failures, reason: this.lastReason };
    if (!carried) return waiting;
    return { state: logpb.DeliveryState.DELIVERY_STATE_SENT, attempts: 1, reason: '' };
  }

  /** Commits through the sequence are durable. */
  durable(sequence: number): void {
    this.durableSequence = sequence;
    this.pump();
  }

  /** Sends now what waits for a pause to be over. */
  drive(): void {
    if (this.phase === 'halted' && !this.dependencies.faults.haltsReactions(this.target)) this.phase = 'idle';
    this.backOff.end();
    this.letters.drive();
    this.pump();
  }

  /** The operator's request to send dead letters again is durable. */
  redriven(numbers: readonly number[]): void {
    this.letters.redrive(numbers);
    this.pump();
  }

  stop(): void {
    this.stopped = true;
    this.backOff.end();
    this.letters.stop();
  }

  // ---- sending ----

  private pump(): void {
    if (this.stopped || this.phase === 'halted' || this.phase === 'asking' || this.backOff.pausing) return;
    this.submitSettlements();
    if (this.flights.length === 0 && this.next > this.channel.owed && !this.letters.waiting) return;
    if (this.phase === 'idle') {
      void this.ask();
      return;
    }
    if (this.givingUp) return;
    this.fill();
    const most = this.recovering ? 1 : BATCHES_IN_FLIGHT;
    let sent = this.flights.reduce((count, { state }) => (state === 'sent' ? count + 1 : count), 0);
    for (const flight of this.flights) {
      if (flight.state !== 'unsent') continue;
      if (sent >= most) break;
      sent += 1;
      void this.sendFlight(flight);
    }
    this.letters.pump(this.recordedThrough);
  }

  /** Forms batches of what is durable. */
  private fill(): void {
    while (this.flights.length < BATCHES_IN_FLIGHT && this.flights.length + this.settling < BATCHES_TO_SETTLE) {
      const flight = this.nextFlight();
      if (flight === undefined) return;
      this.flights.push(flight);
      this.next = flight.last + 1;
    }
  }

  private nextFlight(): Flight | undefined {
    const { window } = this.channel;
    const { batchBytes } = this.dependencies;
    const parts: OwedPart[] = [];
    let count = 0;
    let bytes = 0;
    let next = this.next;
    for (let part = window.partOf(next); part !== undefined && part.sequence <= this.durableSequence; part = window.partOf(next)) {
      if (parts.length > 0 && (count + part.count > BATCH_COMMANDS || bytes + part.bytes.length > batchBytes)) break;
      parts.push(part);
      count += part.count;
      bytes += part.bytes.length;
      next = lastNumber(part) + 1;
    }
    if (parts.length === 0) {
      if (next <= this.channel.owed && window.partOf(next) === undefined) this.readAgain();
      return undefined;
    }
    return { first: this.next, last: next - 1, parts, state: 'unsent', answeredThrough: this.next - 1, verdicts: new Map(), dead: new Set() };
  }

  private async sendFlight(flight: Flight): Promise<void> {
    const { handedThrough } = this;
    const { parts, last } = flight;
    flight.state = 'sent';
    const from = (parts[0] as OwedPart).firstNumber;
    const header = this.header({ dead: this.letters.between(from, last), anchor: this.anchorOf(parts.at(-1) as OwedPart) });
    const batch = encodeDeliveryBatch(
      header,
      parts.map(({ bytes }) => bytes),
    );
    let answer: logpb.DeliveryAnswer;
    try {
      answer = logpb.DeliveryAnswer.decode(await this.dependencies.send(this.target, batch));
    } catch (error) {
      if (this.stopped || flight.state !== 'sent') return;
      flight.state = 'unsent';
      this.failed(error);
      return;
    }
    if (this.stopped || this.phase === 'halted') return;
    this.answered(flight, answer, handedThrough);
    this.pump();
  }

  private header({ dead = [], redriven = 0, anchor }: { dead?: readonly number[]; redriven?: number; anchor?: logpb.CommitAnchor | undefined }) {
    const { incarnation, partition: source } = this.dependencies;
    const { recordedThrough, target } = this;
    return { incarnation, source, target, recordedThrough, lowestDead: this.letters.lowest, dead, redriven, anchor };
  }

  private anchorOf({ sequence, checksum }: OwedPart): logpb.CommitAnchor | undefined {
    const recent = checksum ?? this.dependencies.recent.get(sequence);
    if (recent === undefined) return undefined;
    return { sequence: BigInt(sequence), checksum: Buffer.from(checksum ?? checksumOf(recent)) };
  }

  private failed(error: unknown): void {
    this.recovering = true;
    this.lastReason = error instanceof Error ? error.message : String(error);
    this.backOff.failed();
  }

  /** Nothing is sent any more: a person has to look at it. */
  private halt(reason: string): void {
    this.phase = 'halted';
    this.lastReason = reason;
    this.flights = [];
    this.next = this.handedThrough + 1;
    this.dependencies.trouble(`deliveries to partition ${this.target} are halted`, new Error(reason));
  }

  // ---- asking where the target stands ----

  private async ask(): Promise<void> {
    this.phase = 'asking';
    let mismatch: string | undefined;
    try {
      const bytes = await this.dependencies.send(this.target, encodeDeliveryBatch(this.header({}), []));
      if (this.stopped) return;
      mismatch = await this.mismatchWith(logpb.DeliveryAnswer.decode(bytes));
    } catch (error) {
      if (this.stopped) return;
      this.phase = 'idle';
      this.failed(error);
      return;
    }
    if (this.stopped) return;
    if (mismatch !== undefined) {
      this.halt(mismatch);
      return;
    }
    this.phase = 'open';
    this.backOff.succeeded();
    this.pump();
  }

  /** Why source and target are of different histories, as after a restore to different moments; undefined: they fit. */
  private async mismatchWith({ takenThrough, forgottenThrough, anchor }: logpb.DeliveryAnswer): Promise<string | undefined> {
    const { log, partition } = this.dependencies;
    const taken = Number(takenThrough);
    if (taken < this.recordedThrough) return `partition ${this.target} has taken ${taken} deliveries, but ${this.recordedThrough} have verdicts here`;
    if (taken > this.channel.owed) return `partition ${this.target} has taken ${taken} deliveries, but only ${this.channel.owed} are owed here`;
    if (Number(forgottenThrough) > this.recordedThrough)
      return `partition ${this.target} keeps no verdicts through ${forgottenThrough}, but only ${this.recordedThrough} have verdicts here`;
    if (anchor === undefined) return undefined;
    const [record] = await log.read(partition, Number(anchor.sequence), { maxCommits: 1, maxBytes: 1 });
    const fits = record !== undefined && BigInt(record.sequence) === anchor.sequence && Buffer.compare(checksumOf(record.bytes), anchor.checksum) === 0;
    return fits ? undefined : `partition ${this.target} has taken deliveries of a commit ${anchor.sequence} that is not the one in this log`;
  }

  // ---- answers ----

  /** @param handedThrough when the batch was sent. */
  private answered(flight: Flight, answer: logpb.DeliveryAnswer, handedThrough: number): void {
    const taken = Number(answer.takenThrough);
    if (taken < handedThrough) {
      this.halt(`partition ${this.target} has taken ${taken} deliveries, but ${handedThrough} have verdicts here`);
      return;
    }
    if (Number(answer.forgottenThrough) >= flight.first) {
      this.halt(`partition ${this.target} keeps no verdicts through ${answer.forgottenThrough}: another process has recorded them, or the log was restored`);
      return;
    }
    flight.answeredThrough = Math.max(flight.answeredThrough, Math.min(taken, flight.last));
    flight.state = flight.answeredThrough === flight.last ? 'answered' : 'unsent';
    for (const verdict of answer.verdicts) flight.verdicts.set(Number(verdict.number), fromProto(verdict));
    for (const number of answer.deadNumbers) flight.dead.add(Number(number));
    if (answer.undecidableNumber > 0n) {
      this.noteUndecidable(Number(answer.undecidableNumber), answer.undecidableReason);
    } else if (flight.state === 'answered') {
      this.recovering = false;
      this.backOff.succeeded();
    } else this.recovering = true;
    this.handOver();
  }

  private noteUndecidable(number: number, reason: string): void {
    const { clock, budget } = this.dependencies;
    const nowMs = clock.monotonicMs();
    if (this.undecidable?.number !== number) {
      this.undecidable = { number, reason, sinceMs: nowMs, attempts: 0 };
      this.backOff.succeeded();
    }
    this.undecidable.attempts += 1;
    this.undecidable.reason = reason;
    const { attempts, sinceMs } = this.undecidable;
    if (attempts >= budget.attempts && nowMs - sinceMs >= budget.milliseconds) this.giveUp(number, reason, attempts);
    else this.failed(new Error(reason));
  }

  /** Makes the delivery a dead letter, so that those behind it pass. */
  private giveUp(number: number, reason: string, attempts: number): void {
    const { room, submit, trouble } = this.dependencies;
    const recorded = (): void => {
      this.givingUp = false;
      this.undecidable = undefined;
      this.recovering = true;
      this.letters.add(number);
      trouble(`a delivery to partition ${this.target} is a dead letter`, new Error(`number ${number}: ${reason}`));
      this.pump();
    };
    this.givingUp = submit(new RecordSubmission((turn) => room.giveUp(turn, this.target, number, reason, attempts), recorded));
    if (!this.givingUp) this.failed(new Error(reason));
  }

  // ---- verdicts ----

  /** Hands on the verdicts that are known without a gap. */
  private handOver(): void {
    for (let [flight] = this.flights; flight !== undefined; [flight] = this.flights) {
      const { first, answeredThrough, parts, verdicts, dead } = flight;
      if (answeredThrough >= first) {
        this.toSubmit.push({
          target: this.target,
          from: first,
          to: answeredThrough,
          parts: parts.filter((part) => part.firstNumber <= answeredThrough),
          verdicts,
          dead,
        });
        this.settling += 1;
        this.handedThrough = answeredThrough;
        flight.first = answeredThrough + 1;
        flight.parts = parts.filter((part) => lastNumber(part) > answeredThrough);
      }
      if (flight.state !== 'answered') break;
      this.flights.shift();
    }
    this.submitSettlements();
  }

  private submitSettlements(): void {
    const { toSubmit } = this;
    for (let [settlement] = toSubmit; settlement !== undefined; [settlement] = toSubmit) {
      const { from, to, dead } = settlement;
      const submission = new SettleSubmission(settlement, this.dependencies, () => {
        this.settling -= 1;
        this.recordedThrough = to;
        this.letters.settled(from, to, dead);
        this.dependencies.settled(to - from + 1);
        this.pump();
      });
      if (!this.dependencies.submit(submission)) {
        this.failed(new Error('the queue of the source is full'));
        return;
      }
      toSubmit.shift();
    }
  }

  // ---- what is not in memory ----

  /** Reads on in the log to where the next delivery is owed. */
  private readAgain(): void {
    if (this.reading) return;
    const { channel, readThrough } = this;
    const { log, partition } = this.dependencies;
    const from = Math.max(channel.sequenceOf(channel.window.through + 1), readThrough + 1);
    if (from > this.durableSequence) return;
    this.reading = true;
    readCommits(log, partition, from).then(
      ({ commits, last }) => {
        this.reading = false;
        if (this.stopped) return;
        const { through } = channel.window;
        for (const commit of commits) {
          if (commit.sequence > this.durableSequence || !this.takeBack(partsOf(commit, this.target))) break;
          this.readThrough = commit.sequence;
        }
        if (last === undefined) this.failed(new Error(`the log lacks sequence ${from}`));
        // A full window has room again when verdicts are recorded.
        else if (channel.window.through > through || this.readThrough > readThrough) this.pump();
      },
      (error: unknown) => {
        this.reading = false;
        if (!this.stopped) this.failed(error);
      },
    );
  }

  /** False: the window is full. */
  private takeBack(parts: readonly OwedPart[]): boolean {
    const { window } = this.channel;
    return parts.every((part) => lastNumber(part) <= window.through || window.offer(part));
  }
}
