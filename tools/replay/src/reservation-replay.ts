/**
 * Replays a hotel's bookings as reservations of identities, three bookings each: each step is done on its day, in the order of the file's days. In
 * the end every reservation is held against the file, and what is taken of every resource against what was kept.
 *
 *   room types ─▶ resources with a place for every booking
 *   bookings   ─▶ reserve ─▶ associate ─▶ complete  │  reserve ─▶ cancel  │  reserve ─▶ expiry
 *
 * A run has identities, numbers and resources of its own, so that runs do not mix on one server: its expiries are times of its clock.
 */
import { basename } from 'node:path';
import { type Associated, type AssociateInput, type Reserved, type ReserveInput, type ReservationState, type SluiceClient, SluiceError } from '@sluice/client';
import type { ReplayObserver } from './bank-replay';
import { type HotelBooking, readHotelFile } from './hotel-booking';
import { expiryDayOf, type GuestStep, type HotelGuest, type HotelPlan, planHotel } from './hotel-guest';
import { pause } from './task-outages';
import { untilAnswered } from './until-answered';

export interface ReservationReplayOptions {
  readonly file: string;
  /** How many times faster than in the file everything goes. */
  readonly scale: number;
  readonly client: SluiceClient;
  readonly observer: ReplayObserver;
}

export interface ReservationReplayReport {
  readonly reservations: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly expired: number;
  /** Associate requests that were applied to the booking that they were meant for; of those, the ones that named the identity alone, and the ones that came early. */
  readonly associates: number;
  readonly alone: number;
  readonly early: number;
  /** Those of which exactly the places are taken that completed reservations keep. */
  readonly resources: number;
  readonly mismatches: readonly string[];
  readonly lost: readonly string[];
}

const MS_PER_DAY = 86_400_000;
/** An expiry is at least so far away when its reservation is sent; twice as far each time that it is past when the server decides. */
const EXPIRY_LEAD_MS = 2_000;
const CALL = { deadlineMs: 60_000 };
/** What is not known by then is lost. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;
const RESERVATIONS_PER_LOOK = 1_000;

const EXPECTED: Readonly<Record<HotelBooking['finalStatus'], ReservationState>> = { 'Check-Out': 'COMPLETED', Canceled: 'CANCELLED', 'No-Show': 'EXPIRED' };

export async function replayReservations(options: ReservationReplayOptions): Promise<ReservationReplayReport> {
  const { observer, file } = options;
  observer.step('reading', undefined);
  const bookings = await readHotelFile(file);
  observer.stepDone();
  const replay = new ReservationReplay(options, bookings, planHotel(bookings));
  await replay.makeResources();
  await replay.run();
  await replay.compareStates();
  await replay.compareResources();
  await replay.compareReadStore();
  return replay.report();
}

class ReservationReplay {
  private readonly prefix: string;
  private readonly firstDay: number;
  private readonly byRoomType = new Map<string, HotelBooking[]>();
  private readonly reserves = new Map<string, ReserveInput>();
  private readonly mismatches: string[] = [];
  private readonly lost: string[] = [];
  private readonly ended = new Map<ReservationState, number>();
  private associates = { all: 0, alone: 0, early: 0 };
  private resources = 0;
  private beganMs = 0;
  private done = 0;

  constructor(
    private readonly options: ReservationReplayOptions,
    private readonly bookings: readonly HotelBooking[],
    private readonly plan: HotelPlan,
  ) {
    const name = basename(options.file).replace(/(\.csv)?(\.gz)?$/, '');
    this.prefix = `${name.slice(0, 32)}-${Date.now().toString(36)}`;
    this.firstDay = bookings.reduce((first, { bookedDay }) => Math.min(first, bookedDay), Number.POSITIVE_INFINITY);
    for (const booking of bookings) {
      const ofType = this.byRoomType.get(booking.roomType);
      if (ofType === undefined) this.byRoomType.set(booking.roomType, [booking]);
      else ofType.push(booking);
    }
  }

  /** With a place for every booking: which of them have to be turned away the file does not say. */
  async makeResources(): Promise<void> {
    const { client, observer } = this.options;
    observer.step('making resources', undefined);
    for (const [roomType, bookings] of this.byRoomType) {
      await untilAnswered(() => client.reservations.setCapacity(this.resourceOf(roomType), bookings.length, 'make', CALL));
    }
    observer.stepDone();
  }

  /** Every guest goes through its bookings by itself. */
  async run(): Promise<void> {
    const { observer } = this.options;
    observer.step(
      'replaying bookings',
      this.plan.guests.reduce((sum, { steps }) => sum + steps.length, 0),
    );
    this.beganMs = Date.now();
    await Promise.all(this.plan.guests.map((guest) => this.follow(guest)));
    observer.stepDone();
  }

  private async follow(guest: HotelGuest): Promise<void> {
    for (const step of guest.steps) {
      const waitMs = this.dueMs(step.day) - Date.now();
      if (waitMs > 0) await pause(waitMs);
      await this.take(guest, step);
      this.done += 1;
      this.options.observer.progress(this.done);
    }
  }

  private async take({ guestId }: HotelGuest, { kind, booking }: GuestStep): Promise<void> {
    switch (kind) {
      case 'reserve':
        return this.reserve(guestId, booking);
      case 'associate':
        return this.associate(guestId, booking);
      case 'cancel':
      case 'complete': {
        const { reservations } = this.options.client;
        const change = { requestId: kind, identityId: this.identityOf(guestId) };
        return this.verdict(booking, kind, () => untilAnswered(() => reservations[kind](this.numberOf(booking), change, CALL)));
      }
      default:
        return kind satisfies never;
    }
  }

  private async reserve(guestId: string, booking: HotelBooking): Promise<void> {
    const isEarly = this.plan.associates.get(booking.number)?.isEarly === true;
    if (isEarly) await this.associateEarly(guestId, booking);
    await this.verdict(booking, 'reserve', async () => {
      const { state, reason } = await this.reserveInTime(guestId, booking);
      const isExpected = state === 'RESERVED' || (isEarly && state === 'ASSOCIATED') || (booking.finalStatus === 'No-Show' && state === 'EXPIRED');
      if (!isExpected) this.mismatch(booking, `reserve: ${state} ${reason}, expected RESERVED`);
    });
  }

  private async reserveInTime(guestId: string, booking: HotelBooking): Promise<Reserved> {
    const expiryDay = expiryDayOf(booking);
    for (let leadMs = EXPIRY_LEAD_MS; ; leadMs *= 2) {
      const input: ReserveInput = {
        requestId: `reserve-${booking.number}-${leadMs}`,
        identityId: this.identityOf(guestId),
        number: this.numberOf(booking),
        resourceId: this.resourceOf(booking.roomType),
        expiresAt: expiryDay === undefined ? undefined : new Date(Math.max(this.dueMs(expiryDay), Date.now() + leadMs)),
      };
      this.reserves.set(booking.number, input);
      try {
        return await this.reserved(input);
      } catch (error) {
        if (!(error instanceof SluiceError) || error.reason !== 'RESERVATION_EXPIRY_PAST' || leadMs > PATIENCE_MS) throw error;
      }
    }
  }

  private async associateEarly(guestId: string, booking: HotelBooking): Promise<void> {
    await this.verdict(booking, 'associate before its reserve', async () => {
      const { state, reason, number } = await this.associated(this.associateOf(guestId, booking));
      if (state !== 'PARKED') this.mismatch(booking, `associate before its reserve: ${state} ${reason}${number}, expected PARKED`);
    });
  }

  private async associate(guestId: string, booking: HotelBooking): Promise<void> {
    const input = this.associateOf(guestId, booking);
    await this.verdict(booking, 'associate', async () => {
      const { state, reason, number } = await this.associated(input, 'PARKED');
      if (state !== 'ASSOCIATED' || number !== this.numberOf(booking)) {
        this.mismatch(booking, `associate: ${state} ${reason}${number}, expected ASSOCIATED ${this.numberOf(booking)}`);
        return;
      }
      const { isAlone, isEarly } = this.plan.associates.get(booking.number) ?? {};
      this.associates.all += 1;
      if (isAlone === true) this.associates.alone += 1;
      if (isEarly === true) this.associates.early += 1;
    });
  }

  private associateOf(guestId: string, booking: HotelBooking): AssociateInput {
    const isAlone = this.plan.associates.get(booking.number)?.isAlone === true;
    return {
      requestId: `associate-${booking.number}`,
      identityId: this.identityOf(guestId),
      number: isAlone ? undefined : this.numberOf(booking),
    };
  }

  /** Asks again, as long as the patience lasts, while it is PENDING. */
  private reserved(input: ReserveInput): Promise<Reserved> {
    return this.untilKnown(
      () => this.options.client.reservations.reserve(input, CALL),
      ({ state }) => state !== 'PENDING',
    );
  }

  /** Asks again, as long as the patience lasts, while it is PENDING, or stands where it does not stay. */
  private associated(input: AssociateInput, passing?: 'PARKED'): Promise<Associated> {
    return this.untilKnown(
      () => this.options.client.reservations.associate(input, CALL),
      ({ state }) => state !== 'PENDING' && state !== passing,
    );
  }

  private async untilKnown<Answer>(ask: () => Promise<Answer>, isKnown: (answer: Answer) => boolean): Promise<Answer> {
    const untilMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await untilAnswered(ask);
      if (isKnown(answer) || Date.now() > untilMs) return answer;
      await pause(LOOK_MS);
    }
  }

  /** Where every reservation stands, by a repeat of its request, until it stands as in the file or the patience is over. */
  async compareStates(): Promise<void> {
    const { observer } = this.options;
    observer.step('comparing', this.bookings.length);
    let left: readonly HotelBooking[] = this.bookings;
    let answers = new Map<string, ReservationState | undefined>();
    for (let untilMs = Date.now() + PATIENCE_MS; left.length > 0 && Date.now() < untilMs; ) {
      answers = await this.statesOf(left);
      const open = left.filter(({ number, finalStatus }) => answers.get(number) !== EXPECTED[finalStatus]);
      if (open.length < left.length) untilMs = Date.now() + PATIENCE_MS;
      else await pause(LOOK_MS);
      left = open;
      observer.progress(this.bookings.length - left.length);
    }
    const open = new Set(left.map(({ number }) => number));
    for (const booking of this.bookings) {
      const expected = EXPECTED[booking.finalStatus];
      if (!open.has(booking.number)) this.ended.set(expected, (this.ended.get(expected) ?? 0) + 1);
      else this.differs(booking, answers.get(booking.number), expected);
    }
    observer.stepDone();
  }

  private differs(booking: HotelBooking, state: ReservationState | undefined, expected: ReservationState): void {
    if (state === undefined || state === 'PENDING') this.lost.push(this.describe(booking));
    else this.mismatch(booking, `${state}, the file says ${booking.finalStatus}: ${expected}`);
  }

  private async statesOf(bookings: readonly HotelBooking[]): Promise<Map<string, ReservationState | undefined>> {
    const states = new Map<string, ReservationState | undefined>();
    for (let start = 0; start < bookings.length; start += RESERVATIONS_PER_LOOK) {
      const asked = bookings.slice(start, start + RESERVATIONS_PER_LOOK);
      const inputs = asked.flatMap(({ number }) => this.reserves.get(number) ?? []);
      const outcomes = await untilAnswered(() => this.options.client.reservations.reserveBatch(inputs, CALL));
      for (const [at, { result }] of outcomes.entries()) states.set(asked[at]?.number ?? '', result?.state);
    }
    return states;
  }

  /** What is given back is given back exactly once: the capacity can be lowered to what completed reservations keep, and all of that is taken. */
  async compareResources(): Promise<void> {
    const { observer } = this.options;
    observer.step('comparing resources', undefined);
    for (const [roomType, bookings] of this.byRoomType) {
      const kept = keptOf(bookings);
      const taken = await this.takenOf(this.resourceOf(roomType), kept);
      if (taken === kept) this.resources += 1;
      else this.mismatches.push(`room type ${roomType}: ${taken ?? 'more'} places taken, completed reservations keep ${kept}`);
    }
    observer.stepDone();
  }

  /** Undefined: more than expected, also when the patience is over. */
  private async takenOf(resourceId: string, expected: number): Promise<number | undefined> {
    for (let look = 1, untilMs = Date.now() + PATIENCE_MS; ; look += 1) {
      try {
        const { taken } = await untilAnswered(() => this.options.client.reservations.setCapacity(resourceId, Math.max(1, expected), `look-${look}`, CALL));
        if (taken <= expected || Date.now() > untilMs) return taken;
      } catch (error) {
        if (!(error instanceof SluiceError) || error.reason !== 'RESERVATION_CAPACITY_TAKEN') throw error;
        if (Date.now() > untilMs) return undefined;
      }
      await pause(LOOK_MS);
    }
  }

  /** Every reservation of every resource, and what is taken of it, from the read store alone. */
  async compareReadStore(): Promise<void> {
    const { client, observer } = this.options;
    observer.step('comparing the read store', this.bookings.length);
    let done = 0;
    for (const [roomType, bookings] of this.byRoomType) {
      const resourceId = this.resourceOf(roomType);
      const states = new Map<string, ReservationState>();
      for await (const { number, state } of client.reservations.list({ resourceId }, CALL)) {
        states.set(number, state);
        done += 1;
        observer.progress(done);
      }
      for (const booking of bookings) {
        const state = states.get(this.numberOf(booking));
        if (state === undefined) this.lost.push(`${this.describe(booking)}: not in the read store`);
        else if (state !== EXPECTED[booking.finalStatus]) this.mismatch(booking, `${state} in the read store, the file says ${booking.finalStatus}`);
      }
      const { taken, waitingCount } = await client.reservations.capacity(resourceId, CALL);
      const kept = keptOf(bookings);
      if (taken !== kept || waitingCount !== 0)
        this.mismatches.push(`room type ${roomType}: ${taken} places taken in the read store, completed reservations keep ${kept}`);
    }
    observer.stepDone();
  }

  report(): ReservationReplayReport {
    const { all, alone, early } = this.associates;
    return {
      reservations: this.bookings.length,
      completed: this.ended.get('COMPLETED') ?? 0,
      cancelled: this.ended.get('CANCELLED') ?? 0,
      expired: this.ended.get('EXPIRED') ?? 0,
      associates: all,
      alone,
      early,
      resources: this.resources,
      mismatches: this.mismatches,
      lost: this.lost,
    };
  }

  /** A refusal is an answer that differs from the file; anything else ends the replay. */
  private async verdict(booking: HotelBooking, what: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason === '') throw error;
      this.mismatch(booking, `${what}: refused, ${error.reason}`);
    }
  }

  private mismatch(booking: HotelBooking, text: string): void {
    this.mismatches.push(`${this.describe(booking)}: ${text}`);
  }

  private describe({ line, number, finalStatus }: HotelBooking): string {
    return `row ${line - 1} (line ${line}): ${number}, ${finalStatus}`;
  }

  private dueMs(day: number): number {
    return this.beganMs + ((day - this.firstDay) * MS_PER_DAY) / this.options.scale;
  }

  private identityOf(guestId: string): string {
    return `${this.prefix}/${guestId}`;
  }

  private numberOf({ number }: HotelBooking): string {
    return `${this.prefix}/${number}`;
  }

  private resourceOf(roomType: string): string {
    return `${this.prefix}/room-${roomType}`;
  }
}

/** Completed reservations keep their places. */
function keptOf(bookings: readonly HotelBooking[]): number {
  return bookings.filter(({ finalStatus }) => finalStatus === 'Check-Out').length;
}
