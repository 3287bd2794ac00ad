/** Histories of accounts in every partition, decided by the domain and appended to a log. */
import { partitionOfKey } from '@sluice/domain';
import { NO_LIMITS } from '@sluice/domain/account';
import type { CommitToAppend, EventLog } from '@sluice/ports';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';

export const PARTITIONS = 4;

/** Histories of all partitions, and what their writers do with them. */
export class Ledger {
  readonly histories: AccountHistory[];
  private atUs = Date.now() * 1_000;
  private requests = 0;

  constructor(
    readonly log: EventLog,
    readonly accountIds: readonly string[],
  ) {
    const { incarnation } = log.identity;
    this.histories = Array.from({ length: PARTITIONS }, (_, partition) => new AccountHistory({ incarnation, partition }));
  }

  async open(): Promise<CommitToAppend[]> {
    return this.commit(
      this.accountIds.map((accountId) => ({
        kind: 'account',
        accountId,
        requestId: `open-${accountId}`,
        command: { kind: 'open', accountId, unit: 'EUR', branchId: 'north', product: 'basic', limits: { ...NO_LIMITS, overdraftMinor: 50n }, signingKeyId: '' },
      })),
    );
  }

  /** Posts to the accounts in turn: credits, debits, holds, and now and then what is refused. */
  async post(count: number): Promise<CommitToAppend[]> {
    return this.commit(
      Array.from({ length: count }, (): HistoryCommand => {
        this.requests += 1;
        const accountId = this.accountIds[this.requests % this.accountIds.length] as string;
        const type = (['CREDIT', 'CREDIT', 'DEBIT', 'HOLD', 'RELEASE', 'CAPTURE'] as const)[this.requests % 6] ?? 'CREDIT';
        const holdId = [...(this.account(accountId)?.holds.keys() ?? [])][0] ?? 'none';
        return {
          kind: 'post',
          accountId,
          posting: {
            requestId: `request-${this.requests}`,
            type,
            amountMinor: BigInt(1 + (this.requests % 37)),
            unit: 'EUR',
            holdId,
            final: this.requests % 4 === 0,
          },
        };
      }),
    );
  }

  account(accountId: string) {
    return this.histories[this.partitionOf(accountId)]?.accounts.get(accountId);
  }

  partitionOf(accountId: string): number {
    return partitionOfKey(Buffer.from(accountId), PARTITIONS);
  }

  private async commit(commands: readonly HistoryCommand[]): Promise<CommitToAppend[]> {
    this.atUs += 1_000;
    const commits: CommitToAppend[] = [];
    for (const [partition, history] of this.histories.entries()) {
      const own = commands.filter((command) => this.partitionOf(command.accountId) === partition);
      if (own.length === 0) continue;
      const commit = history.turn(own, this.atUs);
      await this.log.append(commit);
      commits.push(commit);
    }
    return commits;
  }
}
