import type { RivalOrder } from './rival-order';

export interface PostgresOrder extends RivalOrder {
  readonly url: string;
  /**
   * rowLock: one transaction per request that locks the account's row; 64 clients.
   * batch: what a careful user does at best: 1,000 requests per transaction, one multi-row insert and one update, and
   * nothing that finds duplicates.
   * twoRows: one transaction per transfer that locks two rows, in the order of their keys, and writes two entries; 64 clients.
   * twoRowsOfMany: the same between random ones of 100,000 rows.
   * scores: one UPDATE per score, of a random one of 10,000 members; 64 clients.
   * reservations: one INSERT … ON CONFLICT per reservation and one UPDATE per associate request; 64 clients.
   * places: one transaction per reservation that locks the one row of a resource, and counts its places; 64 clients.
   */
  readonly way: 'rowLock' | 'batch' | 'twoRows' | 'twoRowsOfMany' | 'scores' | 'reservations' | 'places';
}
