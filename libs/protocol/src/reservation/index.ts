/** Reservations: their messages, events and reasons. */
import type { ProtocolCapability } from '../protocol-capability';
import { reservationReasons } from './reasons';
import { reservationEvents } from './reservation-events';

export const protocolCapability = { name: 'reservation', events: reservationEvents, reasons: reservationReasons } as const satisfies ProtocolCapability;

export * as reservationpb from '../generated/index.sluice.reservation.v1';
export * from './reservation-events';
