/** Holds ends of day against the file while the days go on, and all entries when they are over. */
import type { BatchRun, SluiceClient } from '@sluice/client';
import type { BranchOfDay } from './bank-day';
import type { ReplayObserver } from './bank-replay';
import { CALL, gathered, READ, untilRead } from './day-call';
import { closingDifferences, closingsOf, proofDifferences, trialBalanceDifferences } from './day-comparison';
import type { DayCouriers } from './day-couriers';
import type { DayNames } from './day-names';
import { PostedSums } from './posted-sums';
import { ReadWindow } from './read-window';

/** One day of one branch. */
export interface DayOfBranch {
  readonly date: string;
  /** Number of the day, from 0. */
  readonly at: number;
  /** Number of the branch, from 0. */
  readonly number: number;
}

export interface DayAuditOptions {
  readonly client: SluiceClient;
  readonly names: DayNames;
  readonly couriers: DayCouriers;
  readonly observer: ReplayObserver;
  /** How many days and branches are replayed. */
  readonly days: number;
  readonly branches: number;
}

/** A proof reads the whole log: every branch has one of the first day, then one branch after the other of days that are spread over all. */
const MAXIMUM_LATER_PROOFS = 24;
const DAYS_AT_ONCE = 16;
const ACCOUNTS_AT_ONCE = 16;

export class DayAudit {
  readonly counts = { closings: 0, entries: 0, proofs: 0, stragglers: 0 };
  readonly mismatches: string[] = [];
  private readonly window = new ReadWindow(DAYS_AT_ONCE);
  private readonly posted = new PostedSums();

  constructor(private readonly options: DayAuditOptions) {}

  /** Resolves when the end of day, which is over, is being compared: it waits while many others are. */
  async begin(branch: BranchOfDay, day: DayOfBranch): Promise<void> {
    await this.window.enter();
    for (const transaction of branch.transactions) this.posted.add(day.date, transaction);
    this.window.leaveWhen(this.compare(branch, day), () => undefined);
  }

  /** Resolves when every end of day is compared. */
  ended(): Promise<void> {
    return this.window.allLeft();
  }

  private async compare(branch: BranchOfDay, { date, at, number }: DayOfBranch): Promise<void> {
    const { client, names, couriers } = this.options;
    const { businessDays } = client;
    const name = names.branch(branch.branchId);
    const lines = await untilRead(() => gathered(businessDays.exportReport(name, date, { positionTokens: [], format: 'JSON_LINES' })));
    const closings = closingsOf(lines.join(''));
    couriers.closedWith(branch.branchId, date, closings);
    const differences = closingDifferences(branch, closings, names.account);
    this.counts.closings += branch.closings.size;
    differences.push(...trialBalanceDifferences(branch, await untilRead(() => businessDays.trialBalance(name, date, READ))));
    if (this.isProven(at, number)) {
      const proof = await untilRead(() => businessDays.verify(name, date, CALL));
      differences.push(...proofDifferences(proof, closings));
      if (proof.failureCount === 0) this.counts.proofs += 1;
    }
    this.mismatches.push(...differences.map((text) => `${date}, branch ${branch.branchId}: ${text}`));
  }

  private isProven(at: number, number: number): boolean {
    const { days, branches } = this.options;
    const everyDays = Math.ceil(days / MAXIMUM_LATER_PROOFS);
    return at === 0 || (at % everyDays === 0 && (at / everyDays) % branches === number);
  }

  /** Every run of every branch, from the read store alone. */
  async compareRuns(branchIds: readonly string[], dates: readonly string[]): Promise<void> {
    const { client, names, observer } = this.options;
    observer.step('comparing ends of day', undefined);
    for (const branchId of branchIds) {
      const runs = new Map<string, BatchRun>();
      for await (const run of client.businessDays.runs(names.branch(branchId), CALL)) runs.set(run.date, run);
      for (const date of dates) {
        const { state, setAsideCount, setAside, stragglers } = runs.get(date) ?? { state: 'not there', setAsideCount: 0, setAside: [], stragglers: 0 };
        this.counts.stragglers += stragglers;
        const what = `${date}, branch ${branchId}: the end of day`;
        if (state !== 'ENDED') this.mismatches.push(`${what} is ${state}`);
        if (setAsideCount > 0) this.mismatches.push(`${what} set ${setAsideCount} accounts aside, the first: ${setAside[0]?.reason}`);
      }
    }
    observer.stepDone();
  }

  /** Every entry of every account by its date, from the read store alone. An earlier run may have left entries behind the last date. */
  async compareEntries(accountIds: readonly string[], lastDate: string): Promise<void> {
    const { client, names, observer } = this.options;
    observer.step('comparing entries', accountIds.length);
    const window = new ReadWindow(ACCOUNTS_AT_ONCE);
    let done = 0;
    for (const accountId of accountIds) {
      await window.enter();
      const compared = gathered(client.accounts.entries(names.account(accountId), {}, CALL)).then((entries) => {
        const replayed = entries.filter(({ businessDate }) => businessDate <= lastDate);
        this.counts.entries += replayed.length;
        this.mismatches.push(...this.posted.differences(accountId, replayed));
      });
      window.leaveWhen(compared, () => {
        done += 1;
        observer.progress(done);
      });
    }
    await window.allLeft();
    observer.stepDone();
  }
}
