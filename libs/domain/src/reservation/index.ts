/** Reservations: numbers, the identities that they are for, and the resources whose places they take. */
export * from './decide-identity';
export * from './decide-reservation';
export * from './decide-resource';
export * from './identity';
export * from './number-report';
export * from './reservation';
export * from './reservation-money';
export * from './reservation-rejection';
export * from './reservation-state';
export * from './resource';
