/** A resource, followed event by event: which numbers have its places, and which wait. */
import type { reservationpb } from '@sluice/protocol/reservation';

type Places = Pick<reservationpb.PlacesTaken, 'number' | 'places' | 'taken'>;

export class ReadResource {
  capacity = 0n;
  taken = 0n;
  /** Places by number. */
  readonly held = new Map<string, number>();
  /** In order of arrival. */
  readonly waiting = new Map<string, number>();
  readonly returned = new Set<string>();

  constructor(
    readonly resourceId: string,
    private readonly contradict: (what: string) => void,
  ) {}

  /** Whether the next that waits would fit. */
  get owesPlaces(): boolean {
    return this.next !== undefined && this.taken + BigInt(this.next[1]) <= this.capacity;
  }

  /** The first that waits, without those that want more than there is: they are passed over. */
  private get next(): readonly [number: string, places: number] | undefined {
    return [...this.waiting].find(([, places]) => BigInt(places) <= this.capacity);
  }

  capacitySet(capacity: bigint): void {
    this.capacity = capacity;
    this.check(`gets the capacity ${capacity}`, this.taken);
  }

  placesTaken({ number, places, taken }: Places): void {
    this.expectNew(number);
    if (this.next !== undefined) this.contradict(`resource ${this.resourceId} lets ${number} pass those that wait`);
    this.give(number, places, taken);
  }

  placesQueued({ number, places }: Pick<Places, 'number' | 'places'>): void {
    this.expectNew(number);
    this.waiting.set(number, places);
  }

  placesGranted({ number, places, taken }: Places): void {
    const { next } = this;
    if (next?.[0] !== number || next[1] !== places)
      this.contradict(`resource ${this.resourceId} grants ${number} ${places} places when ${String(next)} is next`);
    this.waiting.delete(number);
    this.give(number, places, taken);
  }

  placesReturned({ number, places, taken, waited }: Places & { readonly waited: boolean }): void {
    const from = waited ? this.waiting : this.held;
    if (from.get(number) !== places) this.contradict(`resource ${this.resourceId} gets ${places} places of ${number} back, which has ${from.get(number)}`);
    from.delete(number);
    this.returned.add(number);
    if (!waited) this.taken -= BigInt(places);
    this.check(`gets places of ${number} back`, taken);
  }

  private expectNew(number: string): void {
    if (this.held.has(number) || this.waiting.has(number) || this.returned.has(number))
      this.contradict(`resource ${this.resourceId} is asked by ${number} twice`);
  }

  private give(number: string, places: number, taken: bigint): void {
    this.held.set(number, places);
    this.taken += BigInt(places);
    this.check(`gives ${number} places`, taken);
  }

  private check(what: string, taken: bigint): void {
    if (taken !== this.taken || taken > this.capacity)
      this.contradict(`resource ${this.resourceId} ${what}, and says that ${taken} of ${this.capacity} are taken; its numbers have ${this.taken}`);
  }
}
