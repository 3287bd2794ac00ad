/**
 * Accounts of branches whose days are cut and ended partition by partition, beside a model of their dates. The same callers meet accounts without business dates, too: they get the same
 * answers.
 */
import { bookingOf, bookingOfCaller, bookingOfLeg, dateFromText, type RollPolicy } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb, businessDateOfLeg } from '@sluice/protocol/account';
import { AccountsOfPartitions, type DeliveryUnderWay } from './accounts-of-partitions';
import { closingRows } from './closing-rows';
import { beginDays, closingBalance, DatedPostingsModel, sumOf, sweep, type AccountModel, type BranchHere, type BranchModel } from './dated-postings-model';

const { POSTING_TYPE_CREDIT: CREDIT, POSTING_TYPE_DEBIT: DEBIT, POSTING_TYPE_HOLD: HOLD } = accountpb.PostingType;
const { CONTRA_LINE_UNSPECIFIED: BALANCES, CONTRA_LINE_CASH: CASH, CONTRA_LINE_INTER_BRANCH: INTER_BRANCH } = logpb.ContraLine;
type Asked = Partial<logpb.SetBranchDay & logpb.RollAccounts> & { readonly branchId: string };
const FUNDS = 100n;
/** Steps of an end of day, in a partition, are fewer than this. */
const STEPS_OF_A_DAY = 20;

export class AccountsWithDays {
  readonly accounts: AccountsOfPartitions;
  private readonly undated: AccountsOfPartitions;
  private readonly branches: readonly BranchModel[];
  readonly models: readonly AccountModel[];
  private readonly model = new DatedPostingsModel();

  /**
   * One account of each branch in each partition, and as many without dates.
   *
   * @param branches each with its first online date.
   */
  constructor(
    private readonly partitions: number,
    branches: readonly { readonly branchId: string; readonly first: number; readonly rollPolicy: RollPolicy }[],
  ) {
    this.accounts = new AccountsOfPartitions(partitions);
    this.undated = new AccountsOfPartitions(partitions);
    const none = { onlineDate: 0, closedDate: 0, nextDate: 0, sealedDate: 0, totalledDate: 0, isDated: false, rolledFrom: 0n, rolledDate: 0 };
    this.branches = branches.map(({ branchId, first, rollPolicy }) => ({
      branchId,
      dates: [first],
      here: Array.from({ length: partitions }, () => ({ ...none, rollPolicy })),
    }));
    this.models = [...this.branches, undefined].flatMap((branch) => Array.from({ length: partitions }, (_, partition) => this.opened(branch, partition)));
  }

  private opened(branch: BranchModel | undefined, partition: number): AccountModel {
    const branchId = branch?.branchId ?? 'undated';
    const accountId = this.accounts.idIn(partition, branchId);
    this.both((world) => world.open(accountId, { branchId, product: 'current' }));
    this.both((world) => world.post({ requestId: 'funds', accountId, type: CREDIT, amountMinor: FUNDS }));
    const day = { balanceMinor: FUNDS, lastDayBalanceMinor: 0n, lastDayDate: Number.NEGATIVE_INFINITY };
    return { accountId, partition, branch, day, balanceDate: undefined, booked: new Map() };
  }

  // ---- what callers ask for ----

  posts(postings: readonly Partial<accountpb.Posting>[], atomic: boolean): void {
    const verdicts = this.both((world) => world.posts(postings, atomic));
    for (const [at, { accountId = '', type, amountMinor = 0n, initiatedDate = '' }] of postings.entries()) {
      if (verdicts[at] !== 'accepted') continue;
      const deltaMinor = type === HOLD ? 0n : type === DEBIT ? -amountMinor : amountMinor;
      const says = dateFromText(initiatedDate);
      this.model.book(this.modelOf(accountId), deltaMinor, CASH, (branch) => (says === undefined ? bookingOf(branch) : bookingOfCaller(branch, says)));
    }
  }

  transfers(from: AccountModel, orders: readonly { readonly requestId: string; readonly to: AccountModel; readonly amountMinor: bigint }[]): void {
    const verdicts = this.both((world) =>
      world.transfers(orders.map(({ requestId, to, amountMinor }) => ({ requestId, fromAccountId: from.accountId, toAccountId: to.accountId, amountMinor }))),
    );
    for (const [at, { to, amountMinor }] of orders.entries()) {
      if (verdicts[at] !== 'accepted') continue;
      const date = this.model.book(from, -amountMinor, INTER_BRANCH, bookingOf);
      // The credit of an account of the same partition is in the same commit.
      if (to.partition === from.partition) this.credited(to, amountMinor, date);
    }
  }

  private credited(to: AccountModel, amountMinor: bigint, date: number | undefined): void {
    this.model.book(to, amountMinor, INTER_BRANCH, (branch) => (date === undefined ? bookingOf(branch) : bookingOfLeg(branch, date)));
  }

  change(what: (world: AccountsOfPartitions) => string): void {
    this.both(what);
  }

  // ---- deliveries ----

  deliver(choice: number): void {
    const at = this.oldest(choice, ({ verdict }) => verdict === undefined);
    if (at !== undefined) this.deliverAt(at);
  }

  settle(choice: number): void {
    const at = this.oldest(choice, ({ verdict }) => verdict !== undefined);
    if (at !== undefined) this.settleAt(at);
  }

  deliverAll(): void {
    while (this.accounts.deliveries.length > 0) {
      if (this.accounts.deliveries[0]?.verdict === undefined) this.deliverAt(0);
      this.settleAt(0);
    }
  }

  private deliverAt(at: number): void {
    const verdict = this.both((world) => world.deliver(world.deliveries[at] as DeliveryUnderWay));
    const { payload, key } = this.accounts.deliveries[at] as DeliveryUnderWay;
    if (verdict.kind === 'accepted') this.credited(this.modelOf(key), amountOf(payload), businessDateOfLeg(payload));
  }

  private settleAt(at: number): void {
    const { payload, owedBy, verdict } = this.accounts.deliveries[at] as DeliveryUnderWay;
    this.both((world) => world.settle(world.deliveries[at] as DeliveryUnderWay));
    if (verdict?.kind === 'rejected') this.credited(this.modelOf(owedBy.key), amountOf(payload), businessDateOfLeg(payload));
  }

  /** The oldest of its pair of partitions, which is the only one that can be next. */
  private oldest(choice: number, fits: (delivery: DeliveryUnderWay) => boolean): number | undefined {
    const { deliveries } = this.accounts;
    const next = [...deliveries.keys()].filter((at) => {
      const { from, to } = deliveries[at] as DeliveryUnderWay;
      return deliveries.findIndex((other) => fits(other) && other.from === from && other.to === to) === at;
    });
    return next[choice % next.length];
  }

  /** Does the same with dates and without, and compares what callers get. */
  private both<Answer>(ask: (world: AccountsOfPartitions) => Answer): Answer {
    const answer = ask(this.accounts);
    expect(answer).toEqual(ask(this.undated));
    return answer;
  }

  // ---- the end of day ----

  /** The next step of the branch in the partition, where there is one. */
  goOn(branchAt: number, partition: number, holiday: boolean): void {
    const branch = this.branches[branchAt] as BranchModel;
    const here = branch.here[partition] as BranchHere;
    const online = branch.dates.at(-1) as number;
    if (!here.isDated || here.onlineDate < online) return this.cut(branch, partition);
    if (!branch.here.every(({ isDated, onlineDate }) => isDated && onlineDate === online)) return;
    const { closedDate } = here;
    if (here.sealedDate < closedDate) {
      this.ask(partition, 'SealBranchDay', { branchId: branch.branchId, date: closedDate });
      here.sealedDate = closedDate;
    } else if (here.rolledDate < closedDate) this.roll(branch, partition);
    else if (here.totalledDate < closedDate) this.total(branch, partition);
    else if (branch.here.every(({ totalledDate }) => totalledDate === closedDate)) {
      // The partitions were told which date is next; holidays may be declared later.
      branch.dates.push(holiday ? online + 3 : here.nextDate);
      this.cut(branch, partition);
    }
  }

  private cut(branch: BranchModel, partition: number): void {
    const { branchId, dates } = branch;
    const here = branch.here[partition] as BranchHere;
    const onlineDate = dates.at(-1) as number;
    const closedDate = dates.at(-2) ?? onlineDate - 1;
    const changed = { onlineDate, closedDate, nextDate: onlineDate + 1 };
    const rollPolicy = here.rollPolicy === 'AFTER_POSTING' ? logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING : logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING;
    this.ask(partition, 'SetBranchDay', { branchId, ...changed, rollPolicy });
    Object.assign(here, changed, { rolledFrom: 0n });
    if (here.isDated) return;
    Object.assign(here, { isDated: true, sealedDate: closedDate, totalledDate: closedDate, rolledDate: closedDate });
    for (const model of this.modelsOf(branch, partition)) beginDays(model, closedDate);
  }

  private roll(branch: BranchModel, partition: number): void {
    const here = branch.here[partition] as BranchHere;
    const { closedDate: date } = here;
    const { branchId } = branch;
    const done = logpb.DayStepDone.decode(this.ask(partition, 'RollAccounts', { branchId, date, from: here.rolledFrom, limit: 1 }));
    here.rolledFrom = done.next;
    if (!done.complete) return;
    here.rolledDate = date;
    for (const model of this.modelsOf(branch, partition)) sweep(model, date);
  }

  /** The totals are those of the model. */
  private total(branch: BranchModel, partition: number): void {
    const here = branch.here[partition] as BranchHere;
    const { closedDate: date } = here;
    const { branchId } = branch;
    const { totals, complete } = logpb.DayStepDone.decode(this.ask(partition, 'TotalAccounts', { branchId, date, from: 0n, limit: 100 }));
    expect(complete).toBe(true);
    const balances = totals.filter(({ line }) => line === BALANCES).map(({ balanceMinor }) => BigInt(balanceMinor));
    expect([branchId, date, sumOf(balances)]).toEqual([branchId, date, sumOf(this.modelsOf(branch, partition).map((model) => closingBalance(model, date)))]);
    const posted = new Map<logpb.ContraLine, bigint>();
    for (const { line, debitMinor, creditMinor } of totals)
      if (line !== BALANCES) posted.set(line, (posted.get(line) ?? 0n) + BigInt(creditMinor) - BigInt(debitMinor));
    // A date that became a holiday behind what is booked at it counts to the next one.
    for (const [line, sum] of posted) expect([line, sum]).toEqual([line, this.model.movement(branchId, partition, line, here.totalledDate, date)]);
    here.totalledDate = date;
  }

  private ask(partition: number, method: 'SetBranchDay' | 'SealBranchDay' | 'RollAccounts' | 'TotalAccounts', message: Asked): Uint8Array {
    const payload = logpb[method].encode(logpb[method].fromPartial(message) as never).finish();
    const [verdict] = this.accounts.internal(partition, { capability: 'account', method, key: message.branchId, payload, id: 'd', origin: 'delivery' });
    if (verdict?.kind !== 'accepted') throw new Error(`${method}: ${verdict?.reason}`);
    return verdict.payload;
  }

  private modelsOf(branch: BranchModel, partition: number): AccountModel[] {
    return this.models.filter((model) => model.branch === branch && model.partition === partition);
  }

  private modelOf(accountId: string): AccountModel {
    return this.models.find((model) => model.accountId === accountId) as AccountModel;
  }

  // ---- what has to be so ----

  check(): void {
    for (const { accountId, partition, branch, day, balanceDate } of this.models) {
      expect([accountId, this.accounts.account(accountId).balanceMinor]).toEqual([accountId, day.balanceMinor]);
      expect(this.undated.account(accountId).balanceMinor).toBe(day.balanceMinor);
      if (branch?.here[partition]?.isDated !== true) continue;
      const days = this.accounts.daysOf(partition);
      const ordinal = this.accounts.ordinalOf(accountId);
      expect([accountId, days.day(ordinal)]).toEqual([accountId, day]);
      if (balanceDate !== undefined) expect([accountId, days.columns.balanceDates[ordinal]]).toEqual([accountId, balanceDate]);
    }
    for (const branch of this.branches)
      for (const [partition, { isDated, onlineDate }] of branch.here.entries())
        if (isDated) expect(this.accounts.daysOf(partition).branch(branch.branchId)?.outgoingUntil(onlineDate)).toBe(this.onTheWay(branch, partition));
  }

  private onTheWay(branch: BranchModel, partition: number): number {
    return this.accounts.deliveries.filter(
      ({ from, owedBy, payload }) => from === partition && this.modelOf(owedBy.key).branch === branch && businessDateOfLeg(payload) !== undefined,
    ).length;
  }

  /** Every account closes every date with what it closed the date before with, and what was booked at the date; rows of a read store say so, too. */
  checkClosings(): void {
    const rows = closingRows(this.accounts);
    for (const model of this.models) {
      const { accountId, branch, partition } = model;
      const here = branch?.here[partition];
      if (branch === undefined || here?.isDated !== true) continue;
      for (const date of branch.dates.filter((each) => each <= here.rolledDate))
        expect([accountId, date, rows.closing(accountId, date)]).toEqual([accountId, date, closingBalance(model, date)]);
      expect(sumOf([...model.booked.values()])).toBe(model.day.balanceMinor);
    }
  }

  /** All memory is lost, and made again: it is the same. */
  startAgain(start: (world: AccountsOfPartitions) => void): void {
    const before = this.kept();
    start(this.accounts);
    start(this.undated);
    expect(this.kept()).toEqual(before);
  }

  /** What is on its way arrives, and every branch ends its day. */
  finish(): void {
    this.deliverAll();
    this.check();
    for (const branchAt of this.branches.keys())
      for (let step = 0; step < STEPS_OF_A_DAY * this.partitions; step += 1) this.goOn(branchAt, step % this.partitions, false);
    this.check();
    this.checkClosings();
  }

  /** All that the partitions keep of dates. */
  private kept(): unknown {
    return Array.from({ length: this.partitions }, (_, partition) => {
      const days = this.accounts.daysOf(partition);
      const dated = this.models.filter((model) => model.partition === partition && model.branch?.here[partition]?.isDated === true);
      return {
        branches: days.datedBranches
          .map(({ movements, outgoing, ...dates }) => ({
            ...dates,
            movements: movements.all
              .map(({ date, accounts: { product, unit }, line, debitMinor, creditMinor, count }) =>
                [date, product, unit, line, debitMinor, creditMinor, count].join(),
              )
              .toSorted(),
            outgoing: [...outgoing].toSorted(([left], [right]) => left - right),
            ordinals: Array.from({ length: days.ordinalsOf(dates.branchId).length }, (_each, place) => days.ordinalsOf(dates.branchId).at(place)),
          }))
          .toSorted((left, right) => left.branchId.localeCompare(right.branchId)),
        accounts: dated.map(({ accountId }) => {
          const ordinal = this.accounts.ordinalOf(accountId);
          const { branchId, product, unit } = days.classAt(ordinal);
          return { accountId, branchId, product, unit, day: days.day(ordinal), balanceDate: days.columns.balanceDates[ordinal] };
        }),
      };
    });
  }
}

function amountOf(leg: Uint8Array): bigint {
  return accountpb.TransferLeg.decode(leg).posting?.amountMinor as bigint;
}
