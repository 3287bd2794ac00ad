/** Business dates of branches, as the log makes them by the generated codec. */
import { decodedAccountEvents } from '@sluice/protocol/account';
import { rowKind, verifyRows } from '../../row-verification';
import type { ProjectionVerification } from '../../verification';
import { BRANCH_DAY_AGGREGATE, branchDayKey } from '../account-branch-days';
import { ACCOUNT_BRANCH_DAYS } from '../collections';

interface VerifiedBranch {
  readonly branchId: string;
  readonly partition: number;
  readonly onlineDate: number;
  readonly rolledDate: number;
  /** Commit, its time, and the first date that closes with what the accounts had then. */
  readonly set: readonly (readonly [number, number, number])[];
}

const branches = rowKind<VerifiedBranch>({
  aggregate: BRANCH_DAY_AGGREGATE,
  collection: ACCOUNT_BRANCH_DAYS,
  counted: 'branch days',
  fold: (commit, change) => {
    const { partition, sequence, committedAtUs } = commit;
    for (const event of commit.events) {
      const dates = decodedAccountEvents.readOnly('BranchDaySet', event, commit);
      if (dates !== undefined) {
        const { branchId, onlineDate, closedDate, byHand } = dates;
        change(branchDayKey(partition, branchId), (before) => {
          if (before !== undefined && !byHand) return { ...before, onlineDate };
          const from = before !== undefined && before.onlineDate < closedDate ? before.onlineDate : closedDate;
          return { branchId, partition, onlineDate, rolledDate: closedDate, set: [...(before?.set ?? []), [sequence, committedAtUs, from]] };
        });
      }
      const rolled = decodedAccountEvents.readOnly('AccountsRolled', event, commit);
      if (rolled?.complete !== true) continue;
      change(branchDayKey(partition, rolled.branchId), (before) => {
        if (before === undefined) throw new Error(`accounts of branch ${rolled.branchId} are rolled at sequence ${sequence}, but it has no dates`);
        return rolled.date > before.rolledDate ? { ...before, rolledDate: rolled.date } : before;
      });
    }
  },
  row: ({ branchId, partition, onlineDate, rolledDate, set }) => ({
    branch_id: branchId,
    partition,
    online_date: onlineDate,
    rolled_date: rolledDate,
    set_dates: JSON.stringify(set),
  }),
});

/** Its rows are compared with their partitions only: a key that is hashed to one they have not. */
export const branchDayVerification: ProjectionVerification = { ...verifyRows(branches), kinds: [] };
