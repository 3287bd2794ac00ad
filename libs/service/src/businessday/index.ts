/** Business days: their metrics. */
import type { ServiceCapability } from '../service-capability';

export const serviceCapability = {
  name: 'businessday',
  settings: {},
  metrics: {
    'sluice.businessday.under_way': {
      kind: 'gauge',
      unit: '{run}',
      attributes: ['partition'],
      meaning: 'Ends of day that are under way, those that wait or are paused included.',
    },
    'sluice.businessday.cuts': { kind: 'counter', unit: '{cut}', attributes: [], meaning: 'Days that began to be cut.' },
    'sluice.businessday.runs_ended': {
      kind: 'counter',
      unit: '{run}',
      attributes: ['outcome'],
      meaning: 'Ends of day that ended: WHOLE, or FORCED (steps were missing, or accounts were set aside).',
    },
    'sluice.businessday.steps_ended': { kind: 'counter', unit: '{step}', attributes: [], meaning: 'Steps of ends of day that ended.' },
    'sluice.businessday.set_aside': { kind: 'counter', unit: '{account}', attributes: [], meaning: 'Accounts that a step of an end of day set aside.' },
    'sluice.businessday.refused': {
      kind: 'counter',
      unit: '{step}',
      attributes: [],
      meaning: 'What partitions refused of what an end of day asked: it is asked again; the log says why.',
    },
  },
} as const satisfies ServiceCapability;
