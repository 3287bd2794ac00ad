/** Defects of contests. */
import { ContestReconciler } from '../../../apps/command/src/contest/contest-reconciler';
import { ContestMembers } from '../../../libs/domain/src/contest/contest-members';
import type { Defect } from '../defects/defect';
import { replaceMethod } from '../defects/replace-method';

export const contestDefects = {
  'forget-points-of-rounds': {
    what: 'The points of a reconciled round are not added to the totals of the members.',
    foundWithin: 10,
    workload: 'contests',
    plant: () => replaceMethod(ContestMembers.prototype, 'addRoundToTotals', () => () => undefined),
  },
  'reconcile-the-first-round': {
    what: 'Rounds behind the first one are never summed from the log.',
    foundWithin: 10,
    workload: 'contests',
    plant: () =>
      replaceMethod(
        ContestReconciler.prototype,
        'reconcile',
        (reconcile) =>
          function (this: ContestReconciler, contestId: string, round: number) {
            if (round === 1) reconcile.call(this, contestId, round);
          },
      ),
  },
} satisfies Record<string, Defect>;
