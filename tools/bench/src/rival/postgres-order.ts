import type { RivalOrder } from './rival-order';

export interface PostgresOrder extends RivalOrder {
  readonly url: string;
  /**
   * rowLock: one transaction per request that locks the account's row; 64 clients.
   * batch: what a careful user does at best: 1,000 requests per transaction, one multi-row insert and one update, and
   * nothing that finds duplicates.
   */
  readonly way: 'rowLock' | 'batch';
}
