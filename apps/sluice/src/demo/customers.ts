/** The side of `sluice demo day` of the thread in which the customers are. */
import { join } from 'node:path';
import { type LoadReport, LoadThread } from './load-thread';

export interface CustomersOptions {
  readonly target: string;
  readonly unit: string;
  readonly accountIds: readonly string[];
  /** How many post at the same time. */
  readonly customers: number;
}

/** What is done with the day while the customers post, in this order. They are told of it, beside to stop. While they start, connections are made and code is compiled. */
export const DAY_PHASES = ['start', 'before', 'cut', 'batch', 'after'] as const;
export type DayPhase = (typeof DAY_PHASES)[number];

export interface CustomersReport extends LoadReport {
  /** Postings and transfers that were acknowledged. */
  readonly acknowledged: number;
  readonly refused: number;
  /** What the credits and debits that were acknowledged add up to. Transfers add nothing. */
  readonly netMinor: number;
  /** By phase: the longest answer in milliseconds, of what was under way in it. */
  readonly longestMs: Readonly<Record<DayPhase, number>>;
}

export type Customers = LoadThread<DayPhase, CustomersReport>;

export function startCustomers(options: CustomersOptions): Customers {
  return new LoadThread(join(__dirname, '../../dist/demo/customers.worker.js'), options);
}
