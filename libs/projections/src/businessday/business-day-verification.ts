/**
 * What rows of business days must say, folded from the log once more: what an event says is kept as it came, and the fields are worked out of it at the end. No step of a row
 * is used, and no state of a row.
 */
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { rowKind, verifyRows } from '../row-verification';
import { BRANCH_AGGREGATE, BRANCHES, CATALOGUE_KEY, PRODUCT_AGGREGATE, PRODUCTS } from './collections';
import { type Messages, nameOf, readOneOf, runKey } from './verified-events';
import { beginRun, RUN_EVENTS, takeIntoRun, type VerifiedRun, verifiedRunRows, verifiedStateOf } from './verified-runs';
import { verifiedTotalsRows } from './verified-totals';

const { RunGoal, StepKind } = businessdaypb;

/** What a branch's events say, the newest last. */
interface VerifiedBranch {
  settings: businessdaypb.BranchSettings | undefined;
  /** Where the batch date's cut time is that of settings before: these. */
  cutBy: businessdaypb.BranchSettings | undefined;
  online: readonly [date: number, runId: string];
  batch: readonly [date: number, runId: string];
  run: VerifiedRun | undefined;
  events: number;
}

const BRANCH_EVENTS = ['BranchRegistered', 'BranchUpdated', 'DatesSet', 'DatesInForce', 'RunBegun', 'TermsTaken', 'OnlineDateMoved', ...RUN_EVENTS] as const;

function takeIntoBranch(branch: VerifiedBranch, recorded: EventRecord, commit: DecodedCommit): VerifiedBranch {
  const read = <Name extends keyof Messages>(name: Name): Messages[Name] | undefined => businessDayEvents.readOnly(name, recorded, commit) as Messages[Name];
  branch.events += 1;
  const update = read('BranchUpdated');
  if (update !== undefined) branch.cutBy = branch.settings?.automatic === true ? (branch.cutBy ?? branch.settings) : undefined;
  branch.settings = (read('BranchRegistered') ?? update)?.settings ?? branch.settings;
  const set = read('BranchRegistered') ?? read('DatesSet');
  if (set !== undefined) Object.assign(branch, { online: [set.date, ''], batch: [set.date, ''], run: undefined, cutBy: undefined });
  const begun = read('RunBegun');
  if (begun !== undefined) branch.run = beginRun(begun, commit.committedAtUs);
  else if (branch.run !== undefined) takeIntoRun(branch.run, recorded, commit);
  const cut = read('OnlineDateMoved');
  if (cut !== undefined) branch.online = [cut.onlineDate, runKey(cut)];
  const moved = read('BatchDateMoved');
  if (moved !== undefined) Object.assign(branch, { batch: [moved.batchDate, runKey(moved)], run: undefined, cutBy: undefined });
  return branch;
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const branchRows = rowKind<VerifiedBranch>({
  aggregate: BRANCH_AGGREGATE,
  collection: BRANCHES,
  counted: 'branches',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const message = readOneOf(BRANCH_EVENTS, event, commit);
      if (message === undefined) continue;
      const none: VerifiedBranch = { settings: undefined, cutBy: undefined, online: [0, ''], batch: [0, ''], run: undefined, events: 0 };
      change(message.branchId, (branch) => takeIntoBranch(branch ?? none, event, commit));
    }
  },
  row: ({ settings, cutBy = settings, online, batch, run, events }) => ({
    online_date: online[0],
    online_run_id: online[1],
    batch_date: batch[0],
    batch_run_id: batch[1],
    run_id: run === undefined ? '' : runKey(run.begun),
    run_state: run === undefined ? '' : verifiedStateOf(run),
    run_goal: run === undefined ? '' : nameOf(RunGoal, run.goal),
    run_steps: run?.begun.steps.map(({ kind }) => nameOf(StepKind, kind)).join() ?? '',
    run_steps_ended: Math.max(0, ...[...(run?.stepsEnded.keys() ?? [])].map((step) => step + 1)),
    settings: hexOf(businessdaypb.BranchSettings.encode(settings ?? businessdaypb.BranchSettings.fromPartial({})).finish()),
    run_set_aside: run?.setAside.length ?? 0,
    cut_time_zone: cutBy?.timeZone ?? '',
    cut_minutes: cutBy?.cutMinutes ?? 0,
    version: events,
  }),
  stored: (row) => ({ ...row, settings: hexOf(row.settings as Uint8Array) }),
});

const productRows = rowKind<businessdaypb.Product>({
  aggregate: PRODUCT_AGGREGATE,
  collection: PRODUCTS,
  partitionKey: () => CATALOGUE_KEY,
  counted: 'products',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const product = businessDayEvents.readOnly('ProductSet', event, commit)?.product;
      if (product !== undefined) change(product.productId, () => product);
    }
  },
  row: (product) => ({ product: hexOf(businessdaypb.Product.encode(product).finish()) }),
  stored: (row) => ({ ...row, product: hexOf(row.product as Uint8Array) }),
});

export const businessDayVerification = verifyRows(branchRows, verifiedRunRows, verifiedTotalsRows, productRows);
