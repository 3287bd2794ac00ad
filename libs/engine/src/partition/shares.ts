/**
 * What each caller, and each aggregate of a caller, has waiting in a contended lane. A turn is filled by callers in turn, and for each caller by
 * aggregates in turn; a full queue refuses the newest of what has most.
 *
 * Costs are commands; bytes count as so many commands as a turn would take in their place.
 */
import type { Place } from './place';
import { Rank, RankedHeap } from './ranked-heap';
import type { Room } from './waiting';

/** Places that have left stay in the list until they are as many as the others, and so many more. */
const LEFT_BEHIND = 64;

/** The places of a share in the order in which they came. */
export class PlaceList {
  private places: Place[] = [];
  private head = 0;
  /** Places that wait. */
  size = 0;

  get oldest(): Place | undefined {
    return this.places[this.head];
  }

  add(place: Place): void {
    this.places.push(place);
    this.size += 1;
  }

  /** One of the places does not wait any more. */
  left(): void {
    const { places } = this;
    this.size -= 1;
    while (places.at(-1)?.waits === false) places.pop();
    while (places[this.head]?.waits === false) this.head += 1;
    if (this.size > 0 && places.length <= 2 * this.size + LEFT_BEHIND) return;
    this.places = places.filter(({ waits }) => waits);
    this.head = 0;
  }

  *newestFirst(): Generator<Place> {
    for (let at = this.places.length - 1; at >= this.head; at -= 1) {
      const place = this.places[at] as Place;
      if (place.waits) yield place;
    }
  }

  /**
   * The newest places that together have what is missing, never the oldest place: it goes on. Undefined: there are none, or they cost more than
   * the share can spare.
   */
  newestWorth(missing: Readonly<Room>, spare: number): Place[] | undefined {
    const found: Place[] = [];
    let { commands, bytes } = missing;
    let cost = 0;
    for (const place of this.newestFirst()) {
      const { submission } = place.waiting;
      cost += place.cost;
      if (place === this.oldest || cost > spare) return undefined;
      found.push(place);
      commands -= submission.commandCount;
      bytes -= submission.sizeBytes;
      if (commands <= 0 && bytes <= 0) return found;
    }
    return undefined;
  }
}

/** Of one aggregate, or of all submissions of a caller that touch several. */
export class KeyShare {
  readonly places = new PlaceList();
  /** Cost of what waits. */
  holding = 0;
  /** Among the shares of its caller, by what it has beyond its oldest place. */
  readonly weight: Rank<KeyShare>;

  constructor(number: number) {
    this.weight = new Rank<KeyShare>(this, number);
  }
}

export class CallerShare {
  readonly places = new PlaceList();
  holding = 0;
  /** Virtual time up to which it has had its turns. */
  servedUntil = 0;
  /** Those that can be taken, by the virtual time at which they would be done. */
  readonly free = new RankedHeap<Place>();
  /** Among all callers: by the virtual time of its next turn, and by what waits. */
  readonly turn: Rank<CallerShare>;
  readonly weight: Rank<CallerShare>;
  private readonly keys = new Map<number | undefined, KeyShare>();
  private readonly heaviest = new RankedHeap<KeyShare>();
  /** Virtual time of its aggregates: when the place that was taken last is done. */
  private now = 0;

  constructor(
    readonly identity: string,
    number: number,
  ) {
    this.turn = new Rank<CallerShare>(this, number);
    this.weight = new Rank<CallerShare>(this, number);
  }

  /** @param aggregate undefined: it touches several. */
  add(place: Place, aggregate: number | undefined): void {
    let key = this.keys.get(aggregate);
    if (key === undefined) this.keys.set(aggregate, (key = new KeyShare(this.keys.size)));
    place.key = key;
    place.aggregate = aggregate;
    this.places.add(place);
    key.places.add(place);
    this.holding += place.cost;
    key.holding += place.cost;
    this.weigh(key);
  }

  /** The place can be taken from now on. */
  freed(place: Place): void {
    this.free.put(place.turn, this.now + place.cost);
  }

  /** The place was taken when its turn came, not for its age. */
  tookInTurn(place: Place): void {
    this.now = Math.max(this.now, place.turn.value);
  }

  /** The place was taken, or refused. */
  remove(place: Place): void {
    const { key } = place;
    place.waits = false;
    this.free.remove(place.turn);
    this.places.left();
    key.places.left();
    this.holding -= place.cost;
    key.holding -= place.cost;
    if (key.places.size > 0) this.weigh(key);
    else {
      this.heaviest.remove(key.weight);
      this.keys.delete(place.aggregate);
    }
  }

  holdingOf(aggregate: number | undefined): number {
    return this.keys.get(aggregate)?.holding ?? 0;
  }

  /** The newest places of the heaviest aggregate; of the whole caller where no aggregate has more than one. @param keep what stays at least. */
  newestForOthers(missing: Readonly<Room>, keep: number): Place[] | undefined {
    const spare = this.holding - keep;
    return this.heaviest.first?.places.newestWorth(missing, spare) ?? this.places.newestWorth(missing, spare);
  }

  /** The newest places of its heaviest aggregate, in favour of another aggregate. @param keep what stays at least. */
  newestForOwn(missing: Readonly<Room>, keep: number): Place[] | undefined {
    const { first } = this.heaviest;
    return first?.places.newestWorth(missing, first.holding - keep);
  }

  private weigh(key: KeyShare): void {
    this.heaviest.put(key.weight, (key.places.oldest?.cost ?? 0) - key.holding);
  }
}
