/** Business days as tests call them, with accounts beside them. */
import { partitionOfKey } from '@sluice/domain';
import type { Branch } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { businessdaypb } from '@sluice/protocol/businessday';
import { NO_METRICS, type Metrics } from '@sluice/telemetry';
import type { Asked } from './aggregates-under-test';
import { AggregatesWithAccounts } from './aggregates-with-accounts';
import type { History } from './recorded-history';

export const PARTITIONS = 4;
/** Above the first pause of deliveries whose target is not reached. */
const DELIVERY_PAUSE_MS = 60;

const SERVICE = { ...businessdaypb.BusinessDayCommandServiceService, ...businessdaypb.ProductCommandServiceService };
type Methods = typeof SERVICE;
export type Method = keyof Methods;
const BUSINESS_DAYS = { name: 'businessday', partitions: PARTITIONS, service: SERVICE, messages: businessdaypb, defaults: {} };

export class BusinessDaysUnderTest extends AggregatesWithAccounts<Methods> {
  static start(adapter = 'memory', metrics: Metrics = NO_METRICS): Promise<BusinessDaysUnderTest> {
    const under = new BusinessDaysUnderTest(BUSINESS_DAYS, adapter);
    under.metrics = metrics;
    return under.run();
  }

  /** Starts over the commits of a history. */
  static over(commits: History['commits']): Promise<BusinessDaysUnderTest> {
    return new BusinessDaysUnderTest(BUSINESS_DAYS, 'memory').run(commits);
  }

  override async restart(): Promise<void> {
    await super.restart();
    await this.clock.elapse(DELIVERY_PAUSE_MS);
  }

  override async crash(): Promise<void> {
    await super.crash();
    await this.clock.elapse(DELIVERY_PAUSE_MS);
  }

  /** The methods are those of two services. */
  protected override answerOf(method: string, request: unknown): Promise<unknown> {
    return super.answerOf(method, request);
  }

  register(branchId: string, settings: Partial<businessdaypb.BranchSettings> = {}, rest: Asked = {}): Promise<string> {
    return this.dates('registerBranch', {
      branchId,
      onlineDate: '2026-11-27',
      settings: { timeZone: 'Europe/Prague', restDays: [6, 7], ...settings },
      ...rest,
    });
  }

  /** The dates that the method answers, online and batch, and how the run stands: "2026-11-30/2026-11-27 WAITING". */
  async dates(method: Exclude<Method, 'createProduct' | 'updateProduct'>, request: Asked): Promise<string> {
    const { day } = await this.call(method, request);
    const state = businessdaypb.RunState[day?.runState ?? 0]?.replace('RUN_STATE_', '') ?? '';
    return `${day?.onlineDate}/${day?.batchDate}${state === 'UNSPECIFIED' ? '' : ` ${state}`}`;
  }

  branch(branchId: string): Branch | undefined {
    return this.stateOf(partitionOfKey(Buffer.from(branchId), PARTITIONS), 'branch', branchId) as Branch | undefined;
  }

  /** Fires what is due until the condition holds: what is under way arrives meanwhile. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) {
      await this.fireDue();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Until the branch has no run, and its dates are in force. */
  async rest(branchId: string): Promise<void> {
    await this.until(() => {
      const branch = this.branch(branchId);
      return branch !== undefined && branch.run === undefined && branch.inForce;
    });
  }

  /** Accounts with the business dates of their postings, sorted: "a 2026-11-27". */
  businessDates(): string[] {
    return [...this.events()]
      .filter(({ event }) => event.type === 'account.PostingsRecorded')
      .flatMap(({ event }) => accountpb.PostingsRecorded.decode(event.payload).accounts)
      .map(({ accountId, businessDate }) => (businessDate === undefined ? accountId : `${accountId} ${textOfDate(businessDate)}`))
      .toSorted();
  }

  /** What the steps of totals said of the accounts at the end of the date, as texts, sorted: product, line, amounts. */
  totals(date: number): string[] {
    return [...this.events()]
      .filter(({ event }) => event.type === 'businessday.StepAdvanced')
      .map(({ event }) => businessdaypb.StepAdvanced.decode(event.payload))
      .filter((advanced) => advanced.date === date)
      .flatMap(({ done }) => done?.totals ?? [])
      .map(
        ({ product, line, balanceMinor, debitMinor, creditMinor, count }) =>
          `${product} ${logpb.ContraLine[line]} ${balanceMinor} ${debitMinor} ${creditMinor} of ${count}`,
      )
      .toSorted();
  }

  /** Types of the events of business days, in the order of the log of the branch's partition. */
  eventTypes(): string[] {
    return [...this.events()].map(({ event }) => event.type).filter((type) => type.startsWith('businessday.'));
  }
}
