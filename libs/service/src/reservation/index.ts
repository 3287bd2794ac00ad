/** Reservations: their metrics. */
import type { ServiceCapability } from '../service-capability';

export const serviceCapability = {
  name: 'reservation',
  settings: {},
  metrics: {
    'sluice.reservation.parked': { kind: 'gauge', unit: '{request}', attributes: ['partition'], meaning: 'Associate requests that are parked.' },
    'sluice.reservation.associates_parked': {
      kind: 'counter',
      unit: '{request}',
      attributes: [],
      meaning: 'Associate requests that were parked, each time that one was: because no number was there, or because a number did not take it.',
    },
    'sluice.reservation.associates_ended': {
      kind: 'counter',
      unit: '{request}',
      attributes: ['state'],
      meaning: 'Associate requests that ended: ASSOCIATED (applied to a number), REJECTED or EXPIRED (parked until their time was over).',
    },
    'sluice.reservation.waiting': {
      kind: 'gauge',
      unit: '{reservation}',
      attributes: ['partition'],
      meaning: 'Reservations on the waiting lists of the partition’s resources.',
    },
    'sluice.reservation.waits_begun': {
      kind: 'counter',
      unit: '{reservation}',
      attributes: [],
      meaning: 'Reservations that were put on a waiting list.',
    },
    'sluice.reservation.waits_ended': {
      kind: 'counter',
      unit: '{reservation}',
      attributes: ['outcome'],
      meaning: 'Reservations that left a waiting list: GRANTED (they got their places) or LEFT (they were cancelled, expired or rejected).',
    },
  },
} as const satisfies ServiceCapability;
