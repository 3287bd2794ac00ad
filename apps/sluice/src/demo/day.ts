/**
 * `sluice demo day`: the business day of a branch is cut, its batch is run and the next day is begun while customers go on posting. In the end nothing was
 * refused or held up because of it, every account has its closing balance, and the log proves it.
 */
import { randomUUID } from 'node:crypto';
import { type Account, type BusinessDay, SluiceClient, SluiceError } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { showRun, untilStill, watched } from '../businessday/follow-run';
import { showTrialBalance } from '../businessday/report-view';
import type { ConnectionOptions, Surroundings } from '../connection';
import { EXIT, type ExitCode } from '../exit-code';
import { countText, Output, type Terminal } from '../output';
import { type CustomersReport, startCustomers } from './customers';
import { balanceOf, openFunded } from './funded-accounts';
import { lookUntil } from './look-until';
import { withServer } from './with-server';

interface DayOptions extends ConnectionOptions {
  readonly accounts: number;
  readonly customers: number;
  readonly seconds: number;
}

const UNIT = 'EUR';
const PRODUCT = { productId: 'demo-savings', name: 'Savings of the demo', tiers: [{ fromMinor: 0n, basisPoints: 365 }], capitalisation: 'DAILY' } as const;
const FUNDS_MINOR = 1_000_000n;
const DEFAULT_ACCOUNTS = 2_000;
const DEFAULT_CUSTOMERS = 100;
const DEFAULT_SECONDS = 3;
const START_MS = 1_000;
const DAY_MS = 86_400_000;
const CALL = { deadlineMs: 60_000 };
/** For a proof: all of the log is read. */
const PROOF_CALL = { deadlineMs: 600_000 };

export function addDayDemoCommand(demo: Command, surroundings: Surroundings): void {
  demo
    .command('day')
    .description('a day is cut, rolled, charged with interest and begun while customers go on posting; then it is proven')
    .option('--accounts <accounts>', 'so many in the branch', wholeNumber, DEFAULT_ACCOUNTS)
    .option('--customers <customers>', 'so many post at the same time', wholeNumber, DEFAULT_CUSTOMERS)
    .option('--seconds <seconds>', 'of the day before it is cut', wholeNumber, DEFAULT_SECONDS)
    .addHelpText('after', '\nWith a server that runs already, or with one of its own.\n\nExample:\n  sluice demo day --accounts 20000')
    .action((_options: unknown, command: Command) =>
      withServer(command.optsWithGlobals<DayOptions>(), surroundings, async (target, options, output) => {
        const client = new SluiceClient({ target });
        try {
          return await new Day(client, target, options, output, surroundings.terminal).run();
        } finally {
          client.close();
        }
      }),
    );
}

/** Dates of the branch, and both balances of one account. */
interface Sight {
  readonly day: BusinessDay;
  readonly account: Account;
}

class Day {
  private readonly branchId = `day-${randomUUID().slice(0, 8)}`;
  private readonly accountIds: readonly string[];
  /** The one whose balances are shown. */
  private readonly shownId: string;
  /** Yesterday: it is closed before anything is shown, so that the day that is shown has opening balances. */
  private readonly firstDate = new Date(Date.now() - DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
  /** What it was credited with by the demo itself. */
  private creditedMinor = 0;

  constructor(
    private readonly client: SluiceClient,
    private readonly target: string,
    private readonly options: DayOptions,
    private readonly output: Output,
    private readonly terminal: Terminal,
  ) {
    this.accountIds = Array.from({ length: Math.max(1, options.accounts) }, (_, at) => `${this.branchId}/${at + 1}`);
    this.shownId = `${this.branchId}/1`;
  }

  async run(): Promise<ExitCode> {
    const { client, branchId, options, accountIds } = this;
    await this.prepare();
    const customers = startCustomers({ target: this.target, unit: UNIT, accountIds, customers: options.customers });
    let sights: readonly Sight[];
    let cutMs: number;
    try {
      await pause(START_MS);
      customers.tell('before');
      await pause(options.seconds * 1_000);
      const before = await this.see('before the cut');
      customers.tell('cut');
      const beganMs = performance.now();
      await client.businessDays.cut(branchId, { date: before.day.onlineDate }, CALL);
      cutMs = performance.now() - beganMs;
      customers.tell('batch');
      const cut = await this.see('the day is cut');
      await this.follow((await client.businessDays.run(branchId, {}, CALL)).day.runId);
      await client.businessDays.begin(branchId, { date: before.day.onlineDate }, CALL);
      customers.tell('after');
      sights = [before, cut, await this.see('the day is begun')];
    } finally {
      customers.tell('stop');
    }
    return this.prove(sights, cutMs, await customers.stop());
  }

  private async prepare(): Promise<void> {
    const { client, branchId, options, accountIds, output } = this;
    await client.products.create(PRODUCT).catch((error: unknown) => {
      if (!(error instanceof SluiceError) || error.reason !== 'PRODUCT_EXISTS') throw error;
    });
    await client.businessDays.register({ branchId, settings: { timeZone: 'UTC' }, onlineDate: this.firstDate }, CALL);
    const account = { unit: UNIT, branchId, product: PRODUCT.productId, fundsMinor: FUNDS_MINOR };
    await openFunded(
      client,
      accountIds.map((accountId) => ({ ...account, accountId })),
    );
    const ending = await client.businessDays.end(branchId, { untilDate: this.firstDate }, CALL);
    for await (const _ of untilStill(watched(client, ending.day.runId)));
    output.message(`${countText(accountIds.length)} accounts of branch ${branchId}; ${countText(options.customers)} customers post without end`);
  }

  /** Posts to the account that is shown, then shows dates and balances. */
  private async see(what: string): Promise<Sight> {
    const { client, branchId, shownId, output } = this;
    await client.accounts.credit({ accountId: shownId, unit: UNIT, amountMinor: 1n, channel: 'demo' });
    this.creditedMinor += 1;
    const [day, account] = [await client.businessDays.get(branchId, CALL), await client.accounts.get(shownId, CALL)];
    const dates = `online ${day.onlineDate}  batch ${day.batchDate}`;
    const balances = `${shownId} has ${countText(Number(account.balanceMinor))}, at the end of ${account.lastDayDate} ${countText(Number(account.lastDayBalanceMinor))}`;
    output.message(`${what.padEnd(16)}  ${dates}   ${balances}`);
    return { day, account };
  }

  /** Shows the steps of the batch until they are done. */
  private async follow(runId: string): Promise<void> {
    const { client, terminal, output } = this;
    const seen = untilStill(watched(client, runId));
    if (output.json) for await (const _ of seen);
    else await showRun(seen, new Output({ results: terminal.messages, messages: terminal.messages }, false), terminal.messages);
  }

  private async prove([before, cut, begun]: readonly Sight[], cutMs: number, report: CustomersReport): Promise<ExitCode> {
    const { client, branchId, accountIds, output } = this;
    if (before === undefined || cut === undefined || begun === undefined) throw new Error('not all was seen');
    const date = before.day.onlineDate;
    const nextDate = cut.day.onlineDate;
    const proof = await client.businessDays.verify(branchId, date, PROOF_CALL);
    const { interestCreditedMinor: earlierMinor } = await client.businessDays.report(branchId, this.firstDate, CALL);
    const { trialBalance, interestCreditedMinor } = await client.businessDays.report(branchId, date, CALL);
    const expectedMinor = BigInt(accountIds.length) * FUNDS_MINOR + BigInt(report.netMinor + this.creditedMinor) + earlierMinor + interestCreditedMinor;
    const balanceMinor = await lookUntil(
      () => balanceOf(client, accountIds),
      (balance) => balance === expectedMinor,
    );
    const [sum] = proof.sums;
    const closingMinor = trialBalance.products.reduce((total, row) => total + row.closingMinor, 0n);
    const datesMoved =
      before.day.batchDate === date && nextDate > date && cut.day.batchDate === date && begun.day.onlineDate === nextDate && begun.day.batchDate === nextDate;
    const verified =
      datesMoved &&
      cut.account.lastDayDate === date &&
      report.refused === 0 &&
      proof.failureCount === 0 &&
      proof.accounts === accountIds.length &&
      sum?.closingMinor === closingMinor &&
      trialBalance.balanced &&
      !trialBalance.openingDerived &&
      balanceMinor === expectedMinor;
    const { acknowledged, refused, longestMs } = report;
    if (output.json) {
      const dates = [before, cut, begun].map(({ day: { onlineDate, batchDate } }) => ({ onlineDate, batchDate }));
      output.object({ branchId, dates, acknowledged, refused, cutMs, longestMs, proof, trialBalance, interestCreditedMinor, balanceMinor, verified });
    } else {
      output.line(`${countText(acknowledged)} postings and transfers were acknowledged, ${countText(refused)} refused`);
      output.line(
        `longest answer: ${longestMs.before.toFixed(0)} ms before the cut, ${longestMs.cut.toFixed(0)} ms during it (it took ${cutMs.toFixed(0)} ms), ${longestMs.batch.toFixed(0)} ms during the batch`,
      );
      output.line(
        `by the log, ${date}: opening + posted = closing: ${sum?.openingMinor} + ${sum?.postedMinor} = ${sum?.closingMinor}, for each of ${countText(proof.accounts)} accounts`,
      );
      output.line(`now: funds + postings + interest = balances: ${expectedMinor} = ${balanceMinor}`);
      output.line('');
      showTrialBalance(output, trialBalance);
      if (!verified) output.line('NOT VERIFIED');
    }
    return verified ? EXIT.done : EXIT.refused;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
