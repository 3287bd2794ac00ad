/** Reservations in the simulation. */
import type { SimulatedCapability } from '../simulated-capability';
import { reservationDefects } from './reservation-defects';
import { ReservationWorkload } from './reservation-workload';

export const simulatedCapability: SimulatedCapability = {
  name: 'reservation',
  workloads: { reservations: (deployment) => new ReservationWorkload(deployment) },
  defects: reservationDefects,
};
