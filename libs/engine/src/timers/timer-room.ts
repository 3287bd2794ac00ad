/**
 * What is due in one partition, and when. Timers are set, cancelled and fired in turns, and the turn's commit says so: `TimersSet`, `TimersCancelled`,
 * `TimersFired`, in the order in which it happened. Whoever reads the log gets the same timers in the same order.
 *
 *   set ──▶ pending ──due, its command decided──▶ fired
 *              ├──cancelled, or set again under its name──▶ gone
 *              └──its command cannot be decided, or its decision throws──▶ parked      (pending; tried again when it is redriven, and by the next owner: the log does not know of it)
 */
import { logEvents, type logpb } from '@sluice/protocol';
import type { DueCommand, TimerName, TimersRoom } from '../internal/engine-room';
import type { InternalCommand, InternalVerdict } from '../internal/internal-command';
import type { Turn } from '../partition/turn';
import type { HashSeeds } from '../request-index/request-hash';
import type { ThrowingTimers } from './throwing-timers';
import { type PendingTimer, TimerHeap } from './timer-heap';
import { restoreTimers, TIMER_BLOCK_SLOTS, TIMER_SNAPSHOT_VERSION, TimerSnapshot } from './timer-snapshot';

/** What one turn changed, in order; consecutive changes of a kind are one event. */
type Change =
  | { readonly kind: 'set'; readonly firstNumber: number; readonly timers: DueCommand[] }
  | { readonly kind: 'cancelled'; readonly numbers: number[] }
  | { readonly kind: 'fired'; readonly numbers: number[]; readonly rejected: logpb.RejectedTimer[] };

export interface FiringStep {
  /** What is due then or before is fired. */
  readonly untilUs: number;
  readonly maximumCommands: number;
  /** What their records may need together. A first one that needs more is fired by a step that has the room. */
  readonly maximumRecordBytes: number;
  readonly recordBytesOf: RecordBytesOf;
  /** Timers that are set aside, and are told when a decision throws. */
  readonly throwing: Pick<ThrowingTimers, 'reasonOf' | 'threw'>;
}

export interface FiringResult {
  readonly fired: number;
  /** Timers whose command cannot be decided, with the reason. */
  readonly parked: readonly { readonly timer: PendingTimer; readonly reason: string }[];
  /** How long the last one had been due, in microseconds. */
  readonly latestUs: number;
}

/** What the command of the timer may record at most, as its capability says it; undefined: it says nothing. */
export type RecordBytesOf = (timer: PendingTimer) => number | undefined;

type Decide = (commands: readonly InternalCommand[]) => readonly InternalVerdict[];

/** What the command of a timer may need of a commit beside its payload. */
export const RECORD_BYTES_PER_TIMER = 1_024;
/** Timers of an event that are taken in between two steps of a replay. */
const REPLAY_STEP_TIMERS = 256;

export class TimerRoom implements TimersRoom {
  readonly name = 'timers';
  readonly snapshotVersion = TIMER_SNAPSHOT_VERSION;
  readonly pending: TimerHeap;
  private nextNumber = 1;
  private changes: Change[] = [];
  private snapshot: TimerSnapshot | undefined;

  constructor(seeds: HashSeeds) {
    this.pending = new TimerHeap(seeds);
  }

  // ---- turns ----

  set(_turn: Turn, timer: DueCommand): void {
    if (!Number.isSafeInteger(timer.dueAtUs) || timer.dueAtUs < 0)
      throw new RangeError(
        `the timer ${timer.timerId} of ${timer.capability} ${timer.key} is due at ${timer.dueAtUs}: whole microseconds since 1970 are possible`,
      );
    const number = this.nextNumber;
    this.put(timer);
    const last = this.changes.at(-1);
    if (last?.kind === 'set') last.timers.push(timer);
    else this.changes.push({ kind: 'set', firstNumber: number, timers: [timer] });
  }

  cancel(_turn: Turn, name: TimerName): void {
    const slot = this.pending.find(name);
    if (slot === -1) return;
    const number = this.pending.numberOf(slot);
    this.remove(slot);
    const last = this.changes.at(-1);
    if (last?.kind === 'cancelled') last.numbers.push(number);
    else this.changes.push({ kind: 'cancelled', numbers: [number] });
  }

  /** What the command of the timer that is due first may need of a commit; 0: none is queued. */
  firstRecordBytes(recordBytesOf: RecordBytesOf): number {
    const slot = this.pending.first;
    return slot === -1 ? 0 : this.neededBy(slot, this.pending.read(slot), recordBytesOf);
  }

  /** Decides the commands of what is due, in the order in which it is due. A timer that is taken cannot be cancelled any more. */
  fire(step: FiringStep, decide: Decide): FiringResult {
    const parked: FiringResult['parked'][number][] = [];
    const taken = this.take(step, parked);
    const change: Change = { kind: 'fired', numbers: [], rejected: [] };
    if (taken.length > 0) this.changes.push(change);
    let latestUs = 0;
    for (let rest = taken; rest.length > 0; ) {
      const verdicts = this.verdictsOn(rest, step, decide);
      for (const [at, verdict] of verdicts.entries()) {
        const timer = rest[at] as PendingTimer;
        if (verdict.kind === 'undecidable') {
          this.park(timer);
          parked.push({ timer, reason: verdict.reason });
          continue;
        }
        if (verdict.kind === 'rejected') change.rejected.push({ place: change.numbers.length, reason: verdict.reason });
        change.numbers.push(timer.number);
        latestUs = step.untilUs - timer.dueAtUs;
      }
      rest = rest.slice(verdicts.length);
    }
    return { fired: change.numbers.length, parked, latestUs };
  }

  /** Queues a parked timer again, and returns it. Undefined: no parked timer has the number. */
  unpark(number: number): PendingTimer | undefined {
    const slot = this.pending.findNumber(number);
    if (slot === -1 || !this.pending.isParked(slot)) return undefined;
    this.pending.unpark(slot);
    return this.pending.read(slot);
  }

  flush(turn: Turn): void {
    if (this.changes.length === 0) return;
    const { changes } = this;
    this.changes = [];
    for (const change of changes) {
      if (change.kind === 'fired' && change.numbers.length === 0) continue;
      const { type, version, payload } = eventOf(change);
      turn.event(type, version, payload);
    }
  }

  // ---- the log ----

  *replaySet({ firstNumber, timers }: logpb.TimersSet): Generator<number> {
    if (Number(firstNumber) !== this.nextNumber) throw new Error(`timers from number ${firstNumber} on follow number ${this.nextNumber - 1}`);
    let bytes = 0;
    for (const [at, timer] of timers.entries()) {
      this.put({ ...timer, dueAtUs: Number(timer.dueAtUs) });
      bytes += timer.payload.length + timer.key.length + timer.timerId.length;
      if (at % REPLAY_STEP_TIMERS !== REPLAY_STEP_TIMERS - 1) continue;
      yield bytes;
      bytes = 0;
    }
    yield bytes;
  }

  *replayEnded(numbers: readonly bigint[]): Generator<number> {
    for (const [at, number] of numbers.entries()) {
      const slot = this.pending.findNumber(Number(number));
      if (slot === -1) throw new Error(`timer ${number} is not pending`);
      this.remove(slot);
      if (at % REPLAY_STEP_TIMERS === REPLAY_STEP_TIMERS - 1) yield REPLAY_STEP_TIMERS * Float64Array.BYTES_PER_ELEMENT;
    }
  }

  // ---- snapshots ----

  /** @param blockSlots how many timers a block has at most. */
  beginSnapshot(blockSlots: number = TIMER_BLOCK_SLOTS): TimerSnapshot {
    const session = new TimerSnapshot(this.pending, this.nextNumber, blockSlots, () => {
      if (this.snapshot === session) this.snapshot = undefined;
    });
    this.snapshot = session;
    return session;
  }

  restore(block: Uint8Array, version: number): void {
    if (version !== TIMER_SNAPSHOT_VERSION) throw new Error(`version ${version} of the timers of a snapshot is not known`);
    this.nextNumber = restoreTimers(this.pending, block);
  }

  private put(timer: DueCommand): void {
    const replaced = this.pending.find(timer);
    if (replaced !== -1) this.remove(replaced);
    this.pending.put(timer, this.nextNumber);
    this.nextNumber += 1;
  }

  private remove(slot: number): void {
    this.snapshot?.beforeRemoval(slot);
    this.pending.remove(slot);
  }

  private verdictsOn(timers: readonly PendingTimer[], { throwing }: FiringStep, decide: Decide): readonly InternalVerdict[] {
    try {
      const verdicts = decide(timers.map(commandOf));
      if (verdicts.length === 0 || verdicts.length > timers.length) throw new Error(`${timers.length} commands of timers got ${verdicts.length} verdicts`);
      return verdicts;
    } catch (error) {
      throwing.threw(timers, error);
      throw error;
    }
  }

  private neededBy(slot: number, timer: PendingTimer, recordBytesOf: RecordBytesOf): number {
    return Math.max(RECORD_BYTES_PER_TIMER + this.pending.body(slot).length, recordBytesOf(timer) ?? 0);
  }

  private take(
    { untilUs, maximumCommands, maximumRecordBytes, throwing, recordBytesOf }: FiringStep,
    parked: { timer: PendingTimer; reason: string }[],
  ): PendingTimer[] {
    const taken: PendingTimer[] = [];
    let room = maximumRecordBytes;
    while (taken.length < maximumCommands) {
      const slot = this.pending.first;
      if (slot === -1 || this.pending.dueOf(slot) > untilUs) break;
      const timer = this.pending.read(slot);
      const reason = throwing.reasonOf(timer);
      if (reason !== undefined) {
        parked.push({ timer, reason });
        this.pending.park(slot);
        continue;
      }
      room -= this.neededBy(slot, timer, recordBytesOf);
      if (room < 0) break;
      taken.push(timer);
      this.remove(slot);
    }
    return taken;
  }

  /** A timer that was taken is pending again under its number, unless one of its name was set meanwhile: that one has replaced it. */
  private park(timer: PendingTimer): void {
    if (this.pending.find(timer) !== -1) return;
    this.pending.park(this.pending.put(timer, timer.number));
    this.snapshot?.putBack(timer.number);
  }
}

function commandOf({ capability, method, key, payload, timerId, dueAtUs }: PendingTimer): InternalCommand {
  return { capability, method, key, payload, id: `t-${timerId}-${dueAtUs}`, origin: 'timer', timerId };
}

function eventOf(change: Change): ReturnType<typeof logEvents.record> {
  switch (change.kind) {
    case 'set':
      return logEvents.record('TimersSet', {
        firstNumber: BigInt(change.firstNumber),
        timers: change.timers.map((timer) => ({ ...timer, dueAtUs: BigInt(timer.dueAtUs), payload: bufferOver(timer.payload) })),
      });
    case 'cancelled':
      return logEvents.record('TimersCancelled', { numbers: change.numbers.map(BigInt) });
    case 'fired':
      return logEvents.record('TimersFired', { numbers: change.numbers.map(BigInt), rejected: change.rejected });
    default:
      return change satisfies never;
  }
}

function bufferOver({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
