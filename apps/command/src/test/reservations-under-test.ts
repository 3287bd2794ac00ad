/** Reservations as tests call them. */
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import type { Identity, Reservation, Resource } from '@sluice/domain/reservation';
import { reservationpb } from '@sluice/protocol/reservation';
import { NO_METRICS, type Metrics } from '@sluice/telemetry';
import type { Asked } from './aggregates-under-test';
import { AggregatesWithAccounts } from './aggregates-with-accounts';
import type { History } from './recorded-history';

const PARTITIONS = 4;
/** Above the first pause of deliveries whose target is not reached: a partition that was loaded before its target tries that again then. */
const DELIVERY_PAUSE_MS = 60;

type Methods = typeof reservationpb.ReservationCommandServiceService;
export type Method = keyof Methods;
const RESERVATIONS = {
  name: 'reservation',
  partitions: PARTITIONS,
  service: reservationpb.ReservationCommandServiceService,
  messages: reservationpb,
  defaults: {},
};

export class ReservationsUnderTest extends AggregatesWithAccounts<Methods> {
  static start(adapter = 'memory', metrics: Metrics = NO_METRICS): Promise<ReservationsUnderTest> {
    const under = new ReservationsUnderTest(RESERVATIONS, adapter);
    under.metrics = metrics;
    return under.run();
  }

  /** Starts over the commits of a history. */
  static over(commits: History['commits']): Promise<ReservationsUnderTest> {
    return new ReservationsUnderTest(RESERVATIONS, 'memory').run(commits);
  }

  override async restart(): Promise<void> {
    await super.restart();
    await this.clock.elapse(DELIVERY_PAUSE_MS);
  }

  override async crash(): Promise<void> {
    await super.crash();
    await this.clock.elapse(DELIVERY_PAUSE_MS);
  }

  /** Where the reservation stands, as the answer says; with the reason, if there is one. */
  async reserve(identityId: string, number: string, rest: Asked = {}): Promise<string> {
    const { state, waiting, reason } = await this.call('reserve', { identityId, number, ...rest });
    return said(reservationpb.ReservationState[state], waiting ? 'waiting' : reason);
  }

  /** Where the associate request stands, as the answer says; with the number or the reason. */
  async associate(identityId: string, rest: Asked = {}): Promise<string> {
    const { state, number, reason } = await this.call('associate', { identityId, ...rest });
    return said(reservationpb.AssociateState[state], number === '' ? reason : number);
  }

  // ---- the states as their partitions have them ----

  identity(identityId: string): Identity | undefined {
    return this.stateOf(partitionOfKey(Buffer.from(identityId), PARTITIONS), 'identity', identityId) as Identity | undefined;
  }

  reservation(number: string): Reservation | undefined {
    return this.stateOf(partitionOfWholeKey(Buffer.from(number), PARTITIONS), 'number', number) as Reservation | undefined;
  }

  resource(resourceId: string): Resource | undefined {
    return this.stateOf(partitionOfKey(Buffer.from(resourceId), PARTITIONS), 'resource', resourceId) as Resource | undefined;
  }

  // ---- time ----

  inMs(milliseconds: number): bigint {
    return BigInt(this.clock.nowUs() + milliseconds * 1_000);
  }

  /** Fires what is due until the condition holds: what is under way arrives meanwhile. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) {
      await this.fireDue();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** "RESERVATION_STATE_REJECTED" and why: "REJECTED, RESERVATION_RESOURCE_FULL". */
export function said(state: string | undefined, more: string): string {
  const name = state?.replace(/^(RESERVATION|ASSOCIATE)_STATE_/, '') ?? 'nothing';
  return more === '' ? name : `${name}, ${more}`;
}
