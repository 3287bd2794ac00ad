/** Reservations in the read store: their projection, and the readers of its rows. */
export { reservationProjection as projection } from './reservation-projection';
export * from './collections';
export * from './reservation-reader';
