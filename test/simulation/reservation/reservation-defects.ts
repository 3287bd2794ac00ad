/** Defects of reservations. */
import { numberAggregate } from '../../../apps/command/src/reservation/number-aggregate';
import type { Defect } from '../defects/defect';
import { replaceMethod } from '../defects/replace-method';

type Number = typeof numberAggregate;

export const reservationDefects = {
  'keep-places-of-the-expired': {
    what: 'A reservation that expires owes its places to its resource, and does not give them back.',
    foundWithin: 10,
    workload: 'reservations',
    plant: () =>
      replaceMethod(
        numberAggregate,
        'decide',
        (decide) =>
          function (this: Number, ...values: Parameters<Number['decide']>) {
            const decision = decide.apply(this, values);
            if (!decision.accepted || values[1].kind !== 'expire') return decision;
            return { ...decision, owes: decision.owes?.filter(({ method }) => method !== 'GivePlacesBack') ?? [] };
          },
      ),
  },
  'hold-late-money': {
    what: 'Money that an account holds when the reservation is over already is not released.',
    foundWithin: 10,
    workload: 'reservations',
    plant: () =>
      replaceMethod(
        numberAggregate as Required<Number>,
        'settled',
        (settled) =>
          function (this: Number, ...values: Parameters<Required<Number>['settled']>) {
            const consequences = settled.apply(this, values);
            const isLate = consequences.events.some(({ kind }) => kind === 'lateMoneyReleased');
            return isLate ? { ...consequences, owes: [] } : consequences;
          },
      ),
  },
} satisfies Record<string, Defect>;
