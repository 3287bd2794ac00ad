/**
 * Tellers that post to the accounts of two branches and transfer between them, while an operator ends one day of the branches after the other, some step by step, with pauses and repeats.
 * When the deployment is calm the judge waits until no end of day is under way, and reads the log:
 *
 *   - no posting was refused because of a date, and both legs of a transfer have one;
 *   - for every account and date: closing balance of the date before + what was posted = closing balance;
 *   - an account is rolled once per date, and accrues and is booked interest once per date;
 *   - steps follow each other, online date and batch date move once in each run;
 *   - the totals of a date are those of the accounts;
 *   - queries say of dates and closing balances what the log says.
 */
import { textOfDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { closingOf } from '../money/dated-accounts';
import { balanceAtEndOf, openDatedAccount, postingAsk, transferAsk, type Ask } from '../money/dated-accounts-calls';
import { answerOrReason, readOr } from '../world/call-failed';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { businessDayReader, type BusinessDayReading } from './business-day-model';

const COMMANDS = businessdaypb.BusinessDayCommandServiceService;
const PRODUCTS = businessdaypb.ProductCommandServiceService;
const QUERIES = businessdaypb.BusinessDayQueryServiceService;
/** The first one ends the days. */
const CALLERS = 3;
const STEPS_PER_TELLER = 20;
const DAYS = 4;
const LOOK_US = 250_000;
const UNIT = 'EUR';
/** A Wednesday, the day before a leap day, at the end of which interest is booked. */
const FIRST_DATE = '2024-02-28';
const BRANCHES = { north: logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING, south: logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING } as const;
type Branch = keyof typeof BRANCHES;
const BRANCH_IDS = Object.keys(BRANCHES) as Branch[];
const ACCOUNTS_PER_BRANCH = 3;
const SAVINGS = 'savings';
/** What a posting may be refused with: its account has too little. */
const REFUSALS = new Set(['INSUFFICIENT_FUNDS']);

const accountOf = (branchId: Branch, number: number): string => `day-${branchId}-${number}`;

export class BusinessDayWorkload implements Workload {
  readonly #callers: CallerGroup;
  #answers = 0;

  constructor(private readonly deployment: Deployment) {
    this.#callers = new CallerGroup(deployment, 'teller', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#answers} postings answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#callers.begin((callers, number) => (number === 0 ? this.#endDays(callers) : this.#serve(callers, number)));
  }

  /** Every caller asks for the same, with the same request ids: it is done once. */
  async #prepare(callers: Callers): Promise<void> {
    for (const branchId of BRANCH_IDS) {
      for (let number = 0; number < ACCOUNTS_PER_BRANCH; number += 1) {
        const accountId = accountOf(branchId, number);
        await openDatedAccount(callers, { accountId, unit: UNIT, branchId, product: number === 0 ? '' : SAVINGS });
      }
    }
  }

  // ---- tellers ----

  async #serve(callers: Callers, teller: number): Promise<void> {
    const { random } = callers;
    await this.#prepare(callers);
    for (let step = 0; step < this.deployment.partOf(STEPS_PER_TELLER); step += 1) {
      const requestId = `t${teller}-${step}`;
      const ask = random.chance(0.6) ? drawPosting(callers, requestId) : drawTransfer(callers, requestId);
      await this.#answered(callers, requestId, ask);
      // It comes again, perhaps when its date has ended.
      if (random.chance(0.1)) await this.#answered(callers, requestId, ask);
      await callers.pause(random.below(300_000));
    }
  }

  async #answered(callers: Callers, requestId: string, { path, request }: Ask): Promise<void> {
    const answer = await answerOrReason(callers.call('command', path, request));
    this.#answers += 1;
    if (typeof answer === 'string' && !REFUSALS.has(answer)) this.deployment.world.breach(`${path} ${requestId} is refused with ${answer}`);
  }

  // ---- the operator ----

  async #endDays(callers: Callers): Promise<void> {
    const { random } = callers;
    await this.#prepare(callers);
    await this.#register(callers);
    for (let day = 0; day < this.deployment.partOf(DAYS); day += 1) {
      for (const branchId of BRANCH_IDS) await this.#endDay(callers, branchId, day);
      await callers.pause(random.below(1_000_000));
    }
  }

  async #register(callers: Callers): Promise<void> {
    const product = {
      ...{ productId: SAVINGS, name: 'Savings', debitBasisPoints: 900, tiers: [{ fromMinor: 0n, basisPoints: 500 }] },
      capitalisation: businessdaypb.Capitalisation.CAPITALISATION_DAILY,
    };
    const create = businessdaypb.CreateProductRequest.fromPartial({ requestId: 'create-savings', product });
    await this.#ask(callers, PRODUCTS.createProduct.path, businessdaypb.CreateProductRequest.encode(create).finish());
    for (const branchId of BRANCH_IDS) {
      const settings = { timeZone: 'UTC', restDays: [6, 7], rollPolicy: BRANCHES[branchId], waitMs: 500, stepAccounts: 2 };
      const register = businessdaypb.RegisterBranchRequest.fromPartial({ requestId: 'register', branchId, settings, onlineDate: FIRST_DATE });
      await this.#ask(callers, COMMANDS.registerBranch.path, businessdaypb.RegisterBranchRequest.encode(register).finish());
    }
  }

  /** In one, or step by step. Returns when the day has begun. */
  async #endDay(callers: Callers, branchId: Branch, day: number): Promise<void> {
    const { random } = callers;
    const requestId = `${branchId}-${day}`;
    const request = { requestId, branchId };
    if (random.chance(0.5)) {
      await this.#ask(callers, COMMANDS.runEndOfDay.path, businessdaypb.RunEndOfDayRequest.encode({ ...request, untilDate: '' }).finish());
    } else {
      await this.#ask(callers, COMMANDS.cutDay.path, businessdaypb.CutDayRequest.encode({ ...request, date: '' }).finish());
      await callers.pause(random.below(500_000));
      const onward = { ...request, requestId: `${requestId}-batch`, date: '' };
      await this.#ask(callers, COMMANDS.runBatch.path, businessdaypb.RunBatchRequest.encode(onward).finish());
      await this.#untilBegun(callers, branchId, requestId);
    }
    if (random.chance(0.3)) await this.#pauseForAWhile(callers, branchId, requestId);
    await this.#untilLogSays(callers, branchId, (reading) => reading.branches.get(branchId)?.isUnderWay === false);
  }

  async #untilBegun(callers: Callers, branchId: Branch, requestId: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const begin = { requestId: `${requestId}-begin-${attempt}`, branchId, date: '', force: false, reason: '' };
      const answer = await answerOrReason(callers.call('command', COMMANDS.beginDay.path, businessdaypb.BeginDayRequest.encode(begin).finish()));
      if (answer !== 'BATCH_NOT_WHOLE') {
        if (typeof answer === 'string') this.deployment.world.breach(`the day of ${branchId} is not begun: ${answer}`);
        return;
      }
      await callers.pause(LOOK_US);
    }
  }

  /** The run may have ended by then. */
  async #pauseForAWhile(callers: Callers, branchId: Branch, requestId: string): Promise<void> {
    const pause = businessdaypb.PauseBatchRequest.encode({ requestId: `${requestId}-pause`, branchId }).finish();
    const answer = await answerOrReason(callers.call('command', COMMANDS.pauseBatch.path, pause));
    if (answer === 'NO_BATCH_RUN') return;
    await callers.pause(callers.random.below(500_000));
    const resume = businessdaypb.ResumeBatchRequest.encode({ requestId: `${requestId}-resume`, branchId }).finish();
    await this.#ask(callers, COMMANDS.resumeBatch.path, resume);
  }

  async #ask(callers: Callers, path: string, request: Uint8Array): Promise<void> {
    const answer = await answerOrReason(callers.call('command', path, request));
    if (typeof answer === 'string') this.deployment.world.breach(`${path} is refused with ${answer}`);
  }

  async #untilLogSays(callers: Callers, branchId: Branch, isSo: (reading: BusinessDayReading) => boolean): Promise<void> {
    const { world, cluster } = this.deployment;
    const read = businessDayReader(cluster.decodedLog);
    while (!isSo(read())) {
      if (world.breaches.length > 0) return;
      world.trace.note('operator', `waits for ${branchId}`);
      await callers.pause(LOOK_US);
    }
  }

  // ---- the judge ----

  async judge(): Promise<void> {
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    const { branches, accounts } = await this.#untilNothingIsUnderWay();
    const { world } = this.deployment;
    if (world.breaches.length > 0) return;
    const all = [...accounts.accounts.values()];
    for (const branch of branches.values()) {
      for (const difference of branch.differences(all.filter(({ branchId }) => branchId === branch.branchId))) world.breach(difference);
      const { onlineDate, batchDate, branchId } = branch;
      const wanted = `${textOfDate(onlineDate)} ${textOfDate(batchDate)}`;
      const request = businessdaypb.GetBusinessDayRequest.encode({ branchId, positionTokens: [] }).finish();
      await this.#compareQuery(callers, `the dates of ${branchId}`, wanted, 'BRANCH_NOT_FOUND', async () => {
        const { day } = businessdaypb.GetBusinessDayResponse.decode(await callers.call('query', QUERIES.getBusinessDay.path, request));
        return `${day?.onlineDate} ${day?.batchDate}`;
      });
    }
    for (const account of all) {
      for (const date of branches.get(account.branchId)?.closed ?? []) {
        const closing = closingOf(account, date);
        if (closing === undefined) continue;
        await this.#compareQuery(callers, `${account.accountId} at ${textOfDate(date)}`, String(closing), 'DATE_NOT_CLOSED', async () =>
          String(await balanceAtEndOf(callers, account.accountId, textOfDate(date))),
        );
      }
    }
  }

  /** If something never ends, the judge does not, and that is a breach. */
  async #untilNothingIsUnderWay(): Promise<BusinessDayReading> {
    const { world, cluster } = this.deployment;
    const read = businessDayReader(cluster.decodedLog);
    for (;;) {
      const reading = read();
      for (const contradiction of reading.contradictions) world.breach(`the log contradicts itself: ${contradiction}`);
      const open = [...reading.branches.values()].filter(({ isUnderWay }) => isUnderWay);
      if (world.breaches.length > 0 || open.length === 0) return reading;
      world.trace.note('judge', `under way: ${open.map(({ branchId }) => branchId).join(', ')}`);
      await this.deployment.growth(LOOK_US);
    }
  }

  async #compareQuery(callers: Callers, what: string, wanted: string, absent: string, read: () => Promise<string>): Promise<void> {
    const found = await callers.readUntil(wanted, () => readOr('absent', absent, read));
    if (found !== wanted) this.deployment.world.breach(`${what} is read as ${found}; the log says ${wanted}`);
  }
}

function drawAccount({ random }: Callers): string {
  return accountOf(random.pick(BRANCH_IDS), random.below(ACCOUNTS_PER_BRANCH));
}

function drawPosting(callers: Callers, requestId: string): Ask {
  const { random } = callers;
  const posting = { requestId, accountId: drawAccount(callers), amountMinor: BigInt(random.between(1, 5_000)), unit: UNIT };
  return postingAsk(posting, random.chance(0.6) ? 'CREDIT' : 'DEBIT');
}

function drawTransfer(callers: Callers, requestId: string): Ask {
  const { random } = callers;
  const from = random.below(ACCOUNTS_PER_BRANCH);
  const [here, there] = random.chance(0.7) ? (['north', 'south'] as const) : (['south', 'south'] as const);
  const [fromAccountId, toAccountId] = random.chance(0.5)
    ? [accountOf(here, from), accountOf(there, (from + 1) % ACCOUNTS_PER_BRANCH)]
    : [accountOf(there, (from + 1) % ACCOUNTS_PER_BRANCH), accountOf(here, from)];
  return transferAsk({ requestId, fromAccountId, toAccountId, amountMinor: BigInt(random.between(1, 2_000)), unit: UNIT });
}
