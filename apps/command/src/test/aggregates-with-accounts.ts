/** A capability under test, and accounts beside it. */
import { partitionOfKey } from '@sluice/domain';
import type { Account } from '@sluice/domain/account';
import { readCommit, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import type { AccountState } from '../account/account-state';
import { AggregatesUnderTest, type MethodsOf } from './aggregates-under-test';

export abstract class AggregatesWithAccounts<Service extends MethodsOf<Service>> extends AggregatesUnderTest<Service> {
  /** Whether all partitions are served. */
  get isServing(): boolean {
    const engine = this.runtime?.engine;
    return Array.from({ length: this.capability.partitions }, (_, partition) => engine?.partition(partition)?.state === 'serving').every(Boolean);
  }

  /** The postings in the log in memory. */
  postings(): accountpb.Posting[] {
    return [...this.events()]
      .filter(({ event }) => event.type === 'account.PostingsRecorded')
      .flatMap(({ event }) => accountpb.PostingsRecorded.decode(event.payload).accounts)
      .flatMap(({ requests }) => requests?.postings ?? []);
  }

  protected *events(): Generator<{ commit: DecodedCommit; event: EventRecord }> {
    for (const commits of this.storage.partitions) {
      for (const { bytes } of commits) {
        const commit = readCommit(bytes);
        for (const event of commit.events) yield { commit, event };
      }
    }
  }

  /** Opens an account with that balance. */
  async open(accountId: string, balanceMinor = 0n, { unit = 'EUR', ...rest }: Partial<accountpb.AccountOpening> = {}): Promise<void> {
    const account = accountpb.AccountOpening.fromPartial({ requestId: `open ${accountId}`, accountId, unit, ...rest });
    await this.answerOf('openAccount', { account });
    if (balanceMinor !== 0n) await this.post(accountId, 'POSTING_TYPE_CREDIT', balanceMinor, unit);
  }

  async post(accountId: string, type: keyof typeof accountpb.PostingType, amountMinor: bigint, unit = 'EUR'): Promise<void> {
    const posting = { requestId: `post ${accountId} ${type}`, accountId, type: accountpb.PostingType[type], amountMinor, unit };
    await this.answerOf('post', Buffer.from(accountpb.PostRequest.encode(accountpb.PostRequest.fromPartial({ posting })).finish()));
  }

  /** Asks for a change of an account, like its end: "closeAccount". */
  async change(method: string, accountId: string): Promise<void> {
    await this.answerOf(method, { requestId: `${method} ${accountId}`, accountId, note: '' });
  }

  /** An account as its partition has it. */
  account(accountId: string): Account {
    const id = Buffer.from(accountId, 'utf8');
    const state = this.runtime?.engine.partition(partitionOfKey(id, this.capability.partitions))?.stateOf('account') as AccountState;
    return state.postings.account(state.postings.ordinalOf(id, 0, id.length));
  }

  balances(...accountIds: string[]): bigint[] {
    return accountIds.map((accountId) => this.account(accountId).balanceMinor);
  }
}
