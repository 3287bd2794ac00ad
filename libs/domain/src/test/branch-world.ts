/**
 * A branch with the partitions and the catalogue that it asks, for tests. What is asked of one partition arrives in its order and once, as the engine promises; partitions are independent
 * of each other, answers come late, and a partition may refuse for a while.
 */
import { newBranch, type Branch, type BranchCommand, type BranchEvent, type StepDone } from '../businessday/branch';
import { branchAnswered, type BranchAnswer } from '../businessday/branch-answers';
import type { BranchAsk, BranchConsequences, BranchTimer } from '../businessday/branch-consequences';
import { JOBS, type BranchSettings } from '../businessday/branch-settings';
import { decideBranch, type BranchDecision } from '../businessday/decide-branch';
import { evolveBranch } from '../businessday/evolve-branch';
import { dateFromText, type CalendarDate } from '../day';

/** A Friday. */
export const FRIDAY = dateFromText('2026-11-27') as CalendarDate;
export const MONDAY = FRIDAY + 3;

const NOON_US = (FRIDAY * 86_400 + 43_200) * 1_000_000;

export function settings(rest: Partial<BranchSettings> & { readonly holidays?: readonly CalendarDate[]; readonly cutMinutes?: number } = {}): BranchSettings {
  const { holidays = [], cutMinutes = 18 * 60, ...more } = rest;
  return {
    calendar: { timeZone: 'UTC', restDays: new Set([6, 7]), holidays: new Set(holidays), cutMinutes },
    automatic: false,
    rollPolicy: 'BEFORE_POSTING',
    stageOneJobs: [],
    jobs: JOBS,
    waitMs: 1_000,
    stepAccounts: 2,
    lineNames: new Map(),
    ...more,
  };
}

export class BranchWorld {
  branch: Branch = newBranch('north');
  nowUs = NOON_US;
  readonly events: { readonly event: BranchEvent; readonly atUs: number }[] = [];
  /** Everything that was asked but for what was asked again, in its order, with the step that asks and how often dates were set by hand before. */
  readonly asked: { readonly ask: BranchAsk; readonly step: number; readonly epoch: number }[] = [];
  readonly timers = new Map<string, BranchTimer>();
  /** Transfers on their way, by partition. */
  readonly outgoing: number[];
  /** Accounts that a job sets aside, in each partition. */
  setAside = 0;
  private readonly queues: BranchAsk[][];
  private readonly terms: BranchAsk[] = [];
  private asksAgain = false;

  /** @param accounts of the branch, by partition. */
  constructor(private readonly accounts: readonly number[]) {
    this.outgoing = accounts.map(() => 0);
    this.queues = accounts.map(() => []);
  }

  get dates(): string {
    const { onlineDate, batchDate } = this.branch;
    return `${onlineDate - FRIDAY}/${batchDate - FRIDAY}`;
  }

  /** "accepted", or why it is rejected. */
  ask(command: BranchCommand): string {
    const decision: BranchDecision = decideBranch(this.branch, command, this.place);
    if (!decision.accepted) return decision.rejection;
    this.take(decision);
    expect(this.branch).toEqual(decision.branch);
    return 'accepted';
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    return this.terms.length > 0 || this.queues.some((queue) => queue.length > 0);
  }

  /** The next of the partition's asks arrives; the catalogue's where there is no such partition. @param refuses an older program serves it. */
  arrive(partition: number, refuses = false): void {
    const ask = (this.queues[partition] ?? this.terms).shift();
    if (ask !== undefined) this.take(branchAnswered(this.branch, refuses ? refusal(ask) : this.answerTo(ask), this.place));
  }

  /** What is due by now fires. */
  fire(): void {
    for (const [id, timer] of [...this.timers]) {
      if (timer.kind === 'noCut' || timer.dueAtUs > this.nowUs) continue;
      this.timers.delete(id);
      this.asksAgain = timer.kind === 'askAgain';
      this.ask(timer.kind === 'cut' ? { kind: 'cutDue', date: timer.date } : { kind: 'askAgain', again: timer.again });
      this.asksAgain = false;
    }
  }

  /** Until nothing is on its way, and no partition is to be asked again. */
  settle(): void {
    const isWaiting = () => [...this.timers.values()].some(({ kind }) => kind === 'askAgain');
    for (let rounds = 0; this.isBusy || isWaiting(); rounds += 1) {
      if (rounds > 10_000) throw new Error('the branch does not come to rest');
      for (let partition = 0; partition <= this.queues.length; partition += 1) this.arrive(partition);
      if (!this.isBusy) this.nowUs += 100_000;
      this.fire();
    }
  }

  /** The branch as its log makes it. */
  replayed(): Branch {
    let branch = newBranch(this.branch.branchId);
    for (const { event, atUs } of this.events) branch = evolveBranch(branch, event, { atUs, partitions: this.accounts.length });
    return branch;
  }

  private get place() {
    return { atUs: this.nowUs, partitions: this.accounts.length };
  }

  private take({ events, asks, timers }: BranchConsequences): void {
    for (const event of events) {
      this.events.push({ event, atUs: this.nowUs });
      this.branch = evolveBranch(this.branch, event, this.place);
    }
    for (const ask of asks) {
      const epoch = this.events.filter(({ event }) => event.kind === 'datesSet').length;
      if (!this.asksAgain) this.asked.push({ ask, step: this.branch.run?.step ?? -1, epoch });
      (ask.kind === 'takeTerms' ? this.terms : (this.queues[ask.partition] as BranchAsk[])).push(ask);
    }
    for (const timer of timers) {
      if (timer.kind === 'askAgain') this.timers.set(`ask ${timer.again.what === 'terms' ? 'terms' : timer.again.partition}`, timer);
      else if (timer.kind === 'cut') this.timers.set('cut', timer);
      else this.timers.delete('cut');
    }
  }

  private answerTo(ask: BranchAsk): BranchAnswer {
    switch (ask.kind) {
      case 'setDates':
        return { kind: 'datesSet', partition: ask.partition, onlineDate: ask.onlineDate, byRun: ask.runDate !== undefined };
      case 'countOutstanding':
        return { kind: 'counted', partition: ask.partition, date: ask.date, count: BigInt(this.outgoing[ask.partition] as number) };
      case 'seal':
        return { kind: 'sealed', partition: ask.partition, date: ask.date };
      case 'roll':
        return {
          kind: 'advanced',
          partition: ask.partition,
          date: ask.date,
          from: ask.from,
          job: undefined,
          done: this.chunk(ask.partition, ask.from, ask.limit),
        };
      case 'mature':
      case 'accrue':
      case 'total': {
        const job = ({ mature: 'MATURITY', accrue: 'INTEREST', total: 'ACCOUNTING' } as const)[ask.kind];
        return { kind: 'advanced', partition: ask.partition, date: ask.date, from: ask.from, job, done: this.chunk(ask.partition, ask.from, ask.limit, job) };
      }
      case 'takeTerms':
        return { kind: 'terms', date: ask.date, products: [] };
      default:
        return ask satisfies never;
    }
  }

  private chunk(partition: number, from: bigint, limit: number, job?: string): StepDone {
    const accounts = BigInt(this.accounts[partition] as number);
    const end = from + BigInt(limit);
    const next = end > accounts ? accounts : end;
    const complete = next === accounts;
    const setAside = Array.from({ length: complete && job === 'INTEREST' ? this.setAside : 0 }, (_, at) => ({ accountId: `a${at}`, reason: 'OVERFLOW' }));
    return { next, complete, accounts, lookedAt: next - from, changed: 0n, totals: [], setAside };
  }
}

function refusal(ask: BranchAsk): BranchAnswer {
  if (ask.kind === 'takeTerms') return { kind: 'refused', again: { what: 'terms', date: ask.date } };
  const { partition } = ask;
  if (ask.kind !== 'setDates') return { kind: 'refused', again: { what: 'step', date: ask.date, partition } };
  const { runDate, onlineDate } = ask;
  return { kind: 'refused', again: runDate === undefined ? { what: 'dates', date: onlineDate, partition } : { what: 'step', date: runDate, partition } };
}
