/**
 * The order of a contended lane: callers take turns, and of each caller its aggregates. One who has little waiting does not wait behind one who
 * has much; the order per aggregate stays.
 *
 *   submission ──▶ AggregateOrder ──free──▶ CallerShare: aggregates in turn ──▶ callers in turn ──▶ taken
 *
 * Both turns go by virtual time. A caller's next turn begins when, at an equal share, it would have had its last one (start-time fair queueing, Goyal,
 * Vin and Cheng, 1996); a place of a caller is taken before those that would be done later (self-clocked fair queueing, Golestani, 1994). So what is
 * taken of two that always have something waiting differs by one submission of each at most, whatever the sizes, and nothing waits while a turn has room.
 *
 * Submissions on one aggregate follow one another, so a flooded aggregate has one free place at a time, however many callers post to it.
 * Half of one turn in BY_AGE goes to the oldest: where thousands of aggregates are new in every turn, a large batch would wait for all of them. The
 * other half goes by fair shares, so that one who has little waiting is in every turn.
 *
 * It costs a few map and heap operations per submission, and two map operations per aggregate of a batch; a lane pays that while it is contended.
 */
import type { Submission } from '../capability';
import { AggregateOrder } from './aggregate-order';
import { Place } from './place';
import { RankedHeap } from './ranked-heap';
import { CallerShare } from './shares';
import type { CommitRoom, Room, Waiting, WaitingOrder } from './waiting';

/** Half of one turn in so many goes by age. */
const BY_AGE = 4;
/** Callers that are remembered although nothing of them waits; then those that owe nothing are forgotten. */
const IDLE_CALLERS = 1_024;

export class FairOrder implements WaitingOrder {
  private readonly order = new AggregateOrder();
  private readonly callers = new Map<string, CallerShare>();
  /** Callers of which something can be taken, by the virtual time of their next turn. */
  private readonly turns = new RankedHeap<CallerShare>();
  /** Callers of which something waits, heaviest first. */
  private readonly heaviest = new RankedHeap<CallerShare>();
  /** What can be taken, oldest first. */
  private readonly ages = new RankedHeap<Place>();
  private turnsTaken = 0;
  private forgetAt = IDLE_CALLERS;
  private callersEver = 0;
  /** Virtual time: the beginning of the turn that a caller had last. */
  private now = 0;

  /** @param commandBytes bytes that are worth one command. */
  constructor(private readonly commandBytes: number) {}

  get empty(): boolean {
    return this.heaviest.size === 0;
  }

  get hasReady(): boolean {
    return this.turns.size > 0;
  }

  get oldest(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { places } of this.callers.values()) oldest = Math.min(oldest, places.oldest?.waiting.number ?? oldest);
    return oldest;
  }

  push(waiting: Waiting): void {
    const { submission } = waiting;
    const caller = this.callerOf(submission);
    const place = new Place(waiting, caller, this.costOf(submission));
    waiting.place = place;
    if (!waiting.prepared) place.blockers += 1;
    this.order.join(place);
    caller.add(place, aggregateOf(submission, place.aggregates));
    this.heaviest.put(caller.weight, -caller.holding);
    if (place.blockers === 0) this.freed(place);
  }

  preparationDone({ place }: Waiting): void {
    if (place?.waits !== true) return;
    place.blockers -= 1;
    if (place.blockers === 0) this.freed(place);
  }

  take(taken: Submission[], room: Room, commit: CommitRoom): void {
    this.turnsTaken += 1;
    if (this.turnsTaken % BY_AGE === 0) this.takeOldest(taken, room, commit);
    for (let place = this.nextInTurn; place !== undefined && hasRoom(place, taken, room, commit); place = this.nextInTurn) {
      this.takeInTurn(place, taken, room, commit);
    }
  }

  takeOne(taken: Submission[], commit: CommitRoom): void {
    const place = this.nextInTurn;
    if (place === undefined || place.waiting.submission.recordBytes > commit.bytes) return;
    this.takeInTurn(place, taken, { commands: 0, bytes: 0 }, commit);
  }

  /** Takes by age what half of the room has place for. What it takes beyond that is not taken off the other half. */
  private takeOldest(taken: Submission[], room: Room, commit: CommitRoom): void {
    const forOldest = { commands: room.commands / 2, bytes: room.bytes / 2 };
    room.commands -= forOldest.commands;
    room.bytes -= forOldest.bytes;
    for (let place = this.ages.first; place !== undefined && hasRoom(place, taken, forOldest, commit); place = this.ages.first) {
      this.takePlace(place, taken, forOldest, commit);
    }
    room.commands += Math.max(0, forOldest.commands);
    room.bytes += Math.max(0, forOldest.bytes);
  }

  private takeInTurn(place: Place, taken: Submission[], room: Room, commit: CommitRoom): void {
    this.now = place.caller.turn.value;
    place.caller.tookInTurn(place);
    this.takePlace(place, taken, room, commit);
  }

  private takePlace(place: Place, taken: Submission[], room: Room, commit: CommitRoom): void {
    const { caller, cost, waiting } = place;
    const { submission } = waiting;
    room.commands -= submission.commandCount;
    room.bytes -= submission.sizeBytes;
    commit.bytes -= submission.recordBytes;
    taken.push(submission);
    caller.servedUntil = caller.turn.value + cost;
    this.remove(place);
    this.order.leave(place, this.freed);
  }

  /**
   * Refuses what a submission may ask the room of: the newest of what has most, as long as that stays as large as what the submission's own
   * aggregate and caller have then. The oldest submission of a share stays. Undefined: the submission itself is of the largest share, and nothing changes.
   */
  makeRoom(submission: Submission, missing: Readonly<Room>): readonly Submission[] | undefined {
    const caller = this.callerOf(submission);
    const cost = this.costOf(submission);
    const { first } = this.heaviest;
    const ofOthers = first === caller ? undefined : first?.newestForOthers(missing, caller.holding + cost);
    const crowdedOut = ofOthers ?? caller.newestForOwn(missing, caller.holdingOf(aggregateOf(submission, submission.aggregates?.())) + cost);
    for (const place of crowdedOut ?? []) this.refuse(place);
    return crowdedOut?.map(({ waiting }) => waiting.submission);
  }

  clear(): Waiting[] {
    const waiting = [...this.callers.values()].flatMap(({ places }) => [...places.newestFirst()].map((place) => place.waiting));
    for (const one of waiting) one.place = undefined;
    this.callers.clear();
    return waiting.sort((left, right) => left.number - right.number);
  }

  private get nextInTurn(): Place | undefined {
    return this.turns.first?.free.first;
  }

  private readonly freed = (place: Place): void => {
    const { caller } = place;
    caller.freed(place);
    this.ages.put(place.age, place.waiting.number);
    if (caller.turn.at === -1) this.turns.put(caller.turn, Math.max(this.now, caller.servedUntil));
  };

  private refuse(place: Place): void {
    const { waiting } = place;
    this.remove(place);
    // It does not wait for its preparation any more.
    if (!waiting.prepared) place.blockers -= 1;
    waiting.place = undefined;
    if (place.blockers === 0) this.order.leave(place, this.freed);
  }

  /** The place was taken, or refused. */
  private remove(place: Place): void {
    const { caller } = place;
    caller.remove(place);
    this.ages.remove(place.age);
    if (caller.free.size > 0) this.turns.put(caller.turn, Math.max(caller.turn.value, caller.servedUntil));
    else this.turns.remove(caller.turn);
    if (caller.places.size > 0) this.heaviest.put(caller.weight, -caller.holding);
    else this.heaviest.remove(caller.weight);
  }

  private callerOf({ caller }: Submission): CallerShare {
    const identity = caller?.identity ?? '';
    let share = this.callers.get(identity);
    if (share !== undefined) return share;
    if (this.callers.size >= this.forgetAt) this.forgetIdle();
    this.callersEver += 1;
    share = new CallerShare(identity, this.callersEver);
    this.callers.set(identity, share);
    return share;
  }

  private forgetIdle(): void {
    for (const [identity, { places, servedUntil }] of this.callers) if (places.size === 0 && servedUntil <= this.now) this.callers.delete(identity);
    this.forgetAt = Math.max(IDLE_CALLERS, this.callers.size * 2);
  }

  private costOf({ commandCount, sizeBytes }: Submission): number {
    return Math.max(1, commandCount, sizeBytes / this.commandBytes);
  }
}

/** Whether the turn may take the place: its first whatever its size. A later one that is larger than what is left ends the turn: there may be small ones before it in every turn. */
function hasRoom({ waiting }: Place, taken: readonly Submission[], room: Room, commit: CommitRoom): boolean {
  const isFull = taken.length > 0 && (room.commands <= 0 || room.bytes <= 0);
  return !isFull && waiting.submission.recordBytes <= commit.bytes;
}

/** The aggregate whose share a submission takes: a single command is for the one that it names first. Undefined: it touches several, or any. */
function aggregateOf({ commandCount }: Submission, aggregates: Iterable<number> | undefined): number | undefined {
  let first: number | undefined;
  for (const aggregate of aggregates ?? []) {
    if (first === undefined) first = aggregate;
    else if (aggregate !== first) return undefined;
    if (commandCount === 1) break;
  }
  return first;
}
