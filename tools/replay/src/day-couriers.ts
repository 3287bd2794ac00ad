/**
 * An account in every branch that sends a minor unit to the next branch and gets it back, both in the moments in which the day is cut: whatever date the two transfers have, each has one
 * date at both ends, nothing is refused, and in the end every courier has what it began with.
 *
 *   branch 1 ── there, with the cut of branch 1 ──▶ branch 2
 *   branch 1 ◀── back, behind the cut of branch 1 ── branch 2
 */
import type { Entry, SluiceClient } from '@sluice/client';
import { dayAfter } from './bank-day';
import { ReadWindow } from './read-window';

/** Product of the couriers. */
export const COURIER_PRODUCT = 'courier';
const UNIT = 'CZK';
const CHANNEL = 'replay';
const OPENING_MINOR = 1_000_000n;
const AMOUNT_MINOR = 1n;
const MAXIMUM_READS_UNDER_WAY = 16;
const LENGTH_OF_DATE = 10;

export interface CourierOptions {
  readonly client: SluiceClient;
  readonly branchIds: readonly string[];
  /** The branch as the server knows it. */
  readonly branchOf: (branchId: string) => string;
  /** Calls the server; makes the call again while it is away, and counts a refusal. */
  readonly ask: <Answer>(what: string, call: () => Promise<Answer>) => Promise<Answer | undefined>;
  readonly deadlineMs: number;
}

/** How a courier was moved at a date. */
interface DatedLeg {
  readonly date: string;
  readonly deltaMinor: bigint;
}

export class DayCouriers {
  /** What the server closed the couriers with, by date. */
  private readonly closings = new Map<string, Map<string, bigint>>();
  private transferCount = 0;

  constructor(private readonly options: CourierOptions) {}

  get transfers(): number {
    return this.transferCount;
  }

  accountOf(branchId: string): string {
    return `${this.options.branchOf(branchId)}/courier`;
  }

  /** Before the branches have dates. */
  async open(): Promise<void> {
    const { client, branchIds, branchOf, ask, deadlineMs } = this.options;
    await client.accounts.openMany(
      branchIds.map((branchId) => ({
        requestId: 'open',
        accountId: this.accountOf(branchId),
        unit: UNIT,
        branchId: branchOf(branchId),
        product: COURIER_PRODUCT,
      })),
      { deadlineMs },
    );
    const openings = branchIds.map((branchId) => {
      const opening = { requestId: 'opening-balance', accountId: this.accountOf(branchId), unit: UNIT, channel: CHANNEL, amountMinor: OPENING_MINOR };
      return ask(`opening of the courier of ${branchId}`, () => client.accounts.credit(opening, { deadlineMs }));
    });
    await Promise.all(openings);
  }

  there(branchId: string, date: string): Promise<void> {
    return this.send(branchId, this.nextOf(branchId), `there-${branchId}-${date}`);
  }

  back(branchId: string, date: string): Promise<void> {
    return this.send(this.nextOf(branchId), branchId, `back-${branchId}-${date}`);
  }

  /** Remembers what the server says that the courier had at the end of the date. */
  closedWith(branchId: string, date: string, closings: ReadonlyMap<string, bigint>): void {
    const closing = closings.get(this.accountOf(branchId));
    if (closing === undefined) return;
    const byDate = this.closings.get(branchId) ?? new Map<string, bigint>();
    this.closings.set(branchId, byDate.set(date, closing));
  }

  /**
   * Holds every closing balance of a courier against its entries, whose dates must be among those that the branch had when they were sent.
   *
   * @param dates of the days that were closed, in order.
   */
  async differences(dates: readonly string[]): Promise<string[]> {
    const { branchIds } = this.options;
    if (branchIds.length < 2) return [];
    const differences: string[] = [];
    const window = new ReadWindow(MAXIMUM_READS_UNDER_WAY);
    for (const branchId of branchIds) {
      await window.enter();
      window.leaveWhen(
        this.entriesOf(branchId).then((entries) => differences.push(...this.differencesOf(branchId, dates, entries))),
        () => undefined,
      );
    }
    await window.allLeft();
    return differences;
  }

  private async send(from: string, to: string, requestId: string): Promise<void> {
    if (from === to) return;
    const { client, ask, deadlineMs } = this.options;
    const transfer = {
      requestId,
      fromAccountId: this.accountOf(from),
      toAccountId: this.accountOf(to),
      amountMinor: AMOUNT_MINOR,
      unit: UNIT,
      channel: CHANNEL,
    };
    await ask(`transfer ${requestId}`, () => client.accounts.transfer(transfer, { deadlineMs }));
    this.transferCount += 1;
  }

  private async entriesOf(branchId: string): Promise<Entry[]> {
    const { client, deadlineMs } = this.options;
    const entries: Entry[] = [];
    for await (const entry of client.accounts.entries(this.accountOf(branchId), {}, { deadlineMs })) entries.push(entry);
    return entries;
  }

  private differencesOf(branchId: string, dates: readonly string[], entries: readonly Entry[]): string[] {
    const told: string[] = [];
    const legs: DatedLeg[] = [];
    let balance = 0n;
    for (const { requestId, type, amountMinor, origin, businessDate } of entries) {
      const deltaMinor = type === 'DEBIT' ? -amountMinor : amountMinor;
      balance += deltaMinor;
      if (origin === 'POSTING') continue;
      legs.push({ date: businessDate, deltaMinor });
      const sentAt = requestId.slice(-LENGTH_OF_DATE);
      if (businessDate !== sentAt && businessDate !== dayAfter(sentAt))
        told.push(`courier of ${branchId}: ${requestId} is dated ${businessDate || 'not at all'}`);
    }
    if (balance !== OPENING_MINOR) told.push(`courier of ${branchId}: has ${balance}, began with ${OPENING_MINOR}`);
    return [...told, ...closingDifferencesOfLegs(dates, legs, this.closings.get(branchId)).map((text) => `courier of ${branchId}: ${text}`)];
  }

  private nextOf(branchId: string): string {
    const { branchIds } = this.options;
    return branchIds[(branchIds.indexOf(branchId) + 1) % branchIds.length] as string;
  }
}

/** Closing balances that do not follow from the dates of the legs. */
export function closingDifferencesOfLegs(dates: readonly string[], legs: readonly DatedLeg[], closings: ReadonlyMap<string, bigint> | undefined): string[] {
  const differences: string[] = [];
  let expected = OPENING_MINOR;
  for (const date of dates) {
    for (const leg of legs) if (leg.date === date) expected += leg.deltaMinor;
    const closing = closings?.get(date);
    if (closing !== expected) differences.push(`closes ${date} with ${closing ?? 'nothing'}, by its entries ${expected}`);
  }
  return differences;
}
