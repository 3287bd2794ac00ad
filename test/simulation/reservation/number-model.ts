/** A number and its reservation, followed event by event, and compared with the tables of docs/reservations.md. */
import type { reservationpb } from '@sluice/protocol/reservation';

export type NumberState = 'PENDING' | 'RESERVED' | 'ASSOCIATED' | 'COMPLETED' | 'REJECTED' | 'CANCELLED' | 'EXPIRED';
type PlaceState = 'NONE' | 'ASKED' | 'WAITING' | 'HELD' | 'GIVEN_BACK';
type MoneyState = 'NONE' | 'ASKED' | 'HELD' | 'RELEASED' | 'CAPTURING' | 'CAPTURED' | 'PAID' | 'RETURNED';

const OVER: readonly NumberState[] = ['COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED'];
const OPEN: readonly NumberState[] = ['PENDING', 'RESERVED'];

export class ReadNumber {
  state: NumberState;
  place: PlaceState;
  money: MoneyState;
  expiresAtUs: bigint;
  reason = '';
  /** The associate request that was applied first; empty: none. */
  associateId = '';

  constructor(
    readonly reserved: reservationpb.NumberReserved,
    private readonly contradict: (what: string) => void,
  ) {
    this.place = reserved.resourceId === '' ? 'NONE' : 'ASKED';
    this.money = reserved.money === undefined ? 'NONE' : 'ASKED';
    this.state = reserved.resourceId === '' && reserved.money === undefined ? 'RESERVED' : 'PENDING';
    this.expiresAtUs = reserved.expiresAtUs;
  }

  get isOver(): boolean {
    return OVER.includes(this.state);
  }

  /** Its timer has to end it, or to be overtaken by an associate request. */
  get willExpire(): boolean {
    return this.expiresAtUs !== 0n && OPEN.includes(this.state);
  }

  private expect(what: string, is: string, ...allowed: readonly string[]): void {
    if (!allowed.includes(is)) this.contradict(`number ${this.reserved.number} ${what} while it is ${is}`);
  }

  placeAwaited(): void {
    this.expect('waits', this.state, 'PENDING');
    this.expect('waits, its place', this.place, 'ASKED');
    this.place = 'WAITING';
  }

  placeObtained(pending: boolean): void {
    this.expect('obtains places, its place', this.place, 'ASKED', 'WAITING');
    this.place = 'HELD';
    this.obtained(pending, this.money === 'ASKED');
  }

  moneyHeld(pending: boolean): void {
    this.expect('holds money, its money', this.money, 'ASKED');
    this.money = 'HELD';
    this.obtained(pending, this.place === 'ASKED' || this.place === 'WAITING');
  }

  private obtained(pending: boolean, lacksSomething: boolean): void {
    this.expect('obtains what it asked for', this.state, 'PENDING');
    if (pending !== lacksSomething)
      this.contradict(`number ${this.reserved.number} is ${pending ? '' : 'not '}pending; place ${this.place}, money ${this.money}`);
    if (!pending) this.state = 'RESERVED';
  }

  rejected(reason: string, byAccount: boolean): void {
    this.reason = reason;
    if (byAccount) this.money = 'NONE';
    else this.place = 'NONE';
    this.over('REJECTED', 'PENDING');
  }

  associated(associateId: string): void {
    this.expect('is associated', this.state, 'RESERVED');
    this.associateId = associateId;
    this.state = 'ASSOCIATED';
  }

  completed(): void {
    this.expect('is completed', this.state, 'ASSOCIATED');
    this.state = 'COMPLETED';
    if (this.money === 'HELD') this.money = 'CAPTURING';
  }

  cancelled(): void {
    this.over('CANCELLED', 'PENDING', 'RESERVED', 'ASSOCIATED');
  }

  expired(atUs: bigint): void {
    if (this.expiresAtUs === 0n || atUs < this.expiresAtUs)
      this.contradict(`number ${this.reserved.number} expires at ${atUs}; its time is ${this.expiresAtUs}`);
    this.over('EXPIRED', ...OPEN);
  }

  extended(expiresAtUs: bigint): void {
    this.expect('is extended', this.state, ...OPEN);
    this.expiresAtUs = expiresAtUs;
  }

  latePlacesReturned(): void {
    this.expect('gives late places back', this.state, ...OVER);
    this.expect('gives late places back, its place', this.place, 'ASKED');
    this.place = 'GIVEN_BACK';
  }

  moneyMoves(from: MoneyState | 'CAPTURING or CAPTURED', to: MoneyState): void {
    this.expect(`goes on to ${to}`, this.state, ...OVER);
    this.expect(`goes on to ${to}, its money`, this.money, ...from.split(' or '));
    this.money = to;
  }

  private over(state: NumberState, ...from: readonly NumberState[]): void {
    this.expect(`is ${state}`, this.state, ...from);
    this.state = state;
    if (this.place === 'HELD' || this.place === 'WAITING') this.place = 'GIVEN_BACK';
    if (this.money === 'HELD') this.money = 'RELEASED';
  }
}
