/** Takes accounts back to where they were before a trial, by their records: what a record holds is taken back, whatever that is. */
import type { AccountTable } from './account-table';

export class AtomicTrial {
  private readonly before = new Map<number, Uint8Array>();

  constructor(private readonly table: AccountTable) {}

  /** Call before the account changes. */
  keep(ordinal: number): void {
    if (!this.before.has(ordinal)) this.before.set(ordinal, this.table.packed(ordinal));
  }

  undo(): void {
    for (const [ordinal, record] of this.before) this.table.takeBack(ordinal, record);
  }
}
