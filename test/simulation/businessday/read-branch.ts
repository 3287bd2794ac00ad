/** What the log says about a branch and its runs, each event compared with the chain of an end of day. */
import { businessdaypb } from '@sluice/protocol/businessday';
import { closingOf, postedBetween, type ReadAccount } from '../money/dated-accounts';

const { Job, StepKind } = businessdaypb;

interface ReadRun {
  readonly date: number;
  readonly nextDate: number;
  readonly steps: readonly businessdaypb.PlannedStep[];
  /** Steps that have ended. */
  ended: number;
  /** The step that was begun and has not ended. */
  open: number | undefined;
}

/** By product and unit. */
interface Sums {
  balanceMinor: bigint;
  accounts: number;
  movedMinor: bigint;
}

export class ReadBranch {
  onlineDate: number;
  batchDate: number;
  /** Dates that are closed, in order. */
  readonly closed: number[] = [];
  /** What the totals of each closed date say. */
  readonly totals = new Map<number, Map<string, Sums>>();
  readonly contradictions: string[] = [];
  private run: ReadRun | undefined;

  constructor(
    readonly branchId: string,
    date: number,
    readonly firstClosed: number,
  ) {
    this.onlineDate = date;
    this.batchDate = date;
  }

  get isUnderWay(): boolean {
    return this.run !== undefined;
  }

  private contradict(what: string): void {
    this.contradictions.push(`branch ${this.branchId} ${what}`);
  }

  runBegun({ date, nextDate, steps }: businessdaypb.RunBegun): void {
    if (this.run !== undefined) this.contradict(`begins the end of day of ${date} while that of ${this.run.date} is under way`);
    if (date !== this.batchDate || date !== this.onlineDate)
      this.contradict(`begins the end of day of ${date} at online date ${this.onlineDate} and batch date ${this.batchDate}`);
    this.run = { date, nextDate, steps, ended: 0, open: undefined };
  }

  private ofRun(what: string, date: number): ReadRun | undefined {
    if (this.run?.date !== date) this.contradict(`${what} of a run of ${date}; that of ${this.run?.date} is under way`);
    return this.run;
  }

  stepBegun({ date, step }: businessdaypb.StepBegun): void {
    const run = this.ofRun('begins a step', date);
    if (run === undefined) return;
    if (run.open !== undefined || step !== run.ended) this.contradict(`begins step ${step} of ${date} when ${run.ended} have ended and ${run.open} is open`);
    run.open = step;
  }

  stepAdvanced({ date, step, done }: businessdaypb.StepAdvanced): void {
    const run = this.ofRun('advances', date);
    if (run !== undefined && run.open !== step) this.contradict(`advances in step ${step} of ${date}; step ${run.open} is open`);
    if (run?.steps[step]?.job !== Job.JOB_ACCOUNTING) return;
    const ofDate = this.totals.get(date) ?? new Map<string, Sums>();
    this.totals.set(date, ofDate);
    for (const { product, unit, line, balanceMinor, debitMinor, creditMinor, count } of done?.totals ?? []) {
      const key = `${product} ${unit}`;
      const sums = ofDate.get(key) ?? { balanceMinor: 0n, accounts: 0, movedMinor: 0n };
      ofDate.set(key, sums);
      if (line === 0) {
        sums.balanceMinor += BigInt(balanceMinor);
        sums.accounts += Number(count);
      } else sums.movedMinor += BigInt(creditMinor) - BigInt(debitMinor);
    }
  }

  stepEnded({ date, step }: businessdaypb.StepEnded): void {
    const run = this.ofRun('ends a step', date);
    if (run === undefined) return;
    if (run.open !== step) this.contradict(`ends step ${step} of ${date}; step ${run.open} is open`);
    run.open = undefined;
    run.ended = step + 1;
  }

  onlineDateMoved({ date, step, onlineDate }: businessdaypb.OnlineDateMoved): void {
    const run = this.ofRun('moves the online date', date);
    if (run?.steps[step]?.kind !== StepKind.STEP_KIND_CUT) this.contradict(`moves the online date in step ${step} of ${date}`);
    if (this.onlineDate !== date || onlineDate !== run?.nextDate) this.contradict(`moves the online date from ${this.onlineDate} to ${onlineDate}`);
    this.onlineDate = onlineDate;
  }

  batchDateMoved({ date, batchDate, forcedReason }: businessdaypb.BatchDateMoved): void {
    const run = this.ofRun('moves the batch date', date);
    if (run === undefined) return;
    if (run.ended < run.steps.length - 1 && forcedReason === '')
      this.contradict(`moves the batch date of ${date} when ${run.ended} of ${run.steps.length} steps have ended`);
    if (this.batchDate !== date || batchDate !== this.onlineDate) this.contradict(`moves the batch date from ${this.batchDate} to ${batchDate}`);
    this.batchDate = batchDate;
    this.closed.push(date);
    this.run = undefined;
  }

  /** The day proof of every account and date, and the totals. */
  *differences(accounts: readonly ReadAccount[]): Generator<string> {
    let before = this.firstClosed;
    for (const date of this.closed) {
      const expected = new Map<string, Sums>();
      for (const account of accounts) {
        const closing = closingOf(account, date);
        if (closing === undefined) continue;
        const opening = closingOf(account, before) ?? 0n;
        const posted = postedBetween(account, before, date);
        if (opening + posted !== closing) yield `account ${account.accountId}: ${opening} at ${before} and ${posted} posted make no ${closing} at ${date}`;
        const key = `${account.product} ${account.unit}`;
        const sums = expected.get(key) ?? { balanceMinor: 0n, accounts: 0, movedMinor: 0n };
        expected.set(key, { balanceMinor: sums.balanceMinor + closing, accounts: sums.accounts + 1, movedMinor: sums.movedMinor + posted });
      }
      const totals = this.totals.get(date);
      for (const [key, { balanceMinor, movedMinor }] of expected) {
        const total = totals?.get(key);
        if (total?.balanceMinor !== balanceMinor || total.movedMinor !== movedMinor)
          yield `the totals of ${key} at ${date} are ${total?.balanceMinor} moved by ${total?.movedMinor}; the accounts have ${balanceMinor}, moved by ${movedMinor}`;
      }
      before = date;
    }
  }
}
