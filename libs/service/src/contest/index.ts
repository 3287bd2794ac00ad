/** Contests: their metrics. */
import type { ServiceCapability } from '../service-capability';

export const serviceCapability = {
  name: 'contest',
  settings: {},
  metrics: {
    'sluice.contest.rounds_reconciled': {
      kind: 'counter',
      unit: '{round}',
      attributes: ['outcome'],
      meaning: 'Rounds that were compared with the log, by what came of the comparison of the read store: EQUAL, REPLACED, BEHIND or NOT_COMPARED.',
    },
  },
} as const satisfies ServiceCapability;
