/** Reservations on real stores. */
import { reservationpb } from '@sluice/protocol/reservation';
import { CapabilityOnStores, type StoreName, until } from './capability-on-stores';

const { watchReservation: _, ...queries } = reservationpb.ReservationQueryServiceService;
const service = { ...reservationpb.ReservationCommandServiceService, ...queries };
const RESERVATION = { name: 'reservation', service, messages: reservationpb, defaults: {} };

export class ReservationsOnStores extends CapabilityOnStores<typeof service> {
  static start(name: StoreName): Promise<ReservationsOnStores> {
    return new ReservationsOnStores(RESERVATION).open(name);
  }

  /** Fires what is due until the read store shows it, and has all that the log had then: rows of other partitions may come later. */
  async untilShown(isShown: () => Promise<boolean>): Promise<void> {
    await until(async () => {
      await this.fireDue();
      return isShown();
    });
    await this.projected();
  }

  /** What differs between the log and the row of the number. */
  async numberVerified(number: string): Promise<readonly string[]> {
    const report = await this.projector?.verifyAggregate('reservation', { aggregate: 'number', key: number }, new AbortController().signal);
    if (report === undefined) throw new Error('nothing was verified');
    return report.differences;
  }
}
