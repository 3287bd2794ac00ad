/** The battle's side of the thread in which the givers are. */
import { join } from 'node:path';
import { type LoadReport, LoadThread } from './load-thread';

export interface GiversOptions {
  readonly target: string;
  readonly contestId: string;
  readonly unit: string;
  /** Their accounts, by side. */
  readonly givers: readonly (readonly string[])[];
  /** Whom they give to, by side. */
  readonly members: readonly (readonly string[])[];
  readonly largestGiftMinor: number;
}

/** What the givers are told, beside to stop. */
export type GiversOrder = 'give' | 'pause';

export interface GiversReport extends LoadReport {
  /** Gifts that were acknowledged, and their sum. */
  readonly gifts: number;
  readonly amountMinor: number;
}

export type Givers = LoadThread<GiversOrder, GiversReport>;

export function startGivers(options: GiversOptions): Givers {
  return new LoadThread(join(__dirname, '../../dist/demo/givers.worker.js'), options);
}
