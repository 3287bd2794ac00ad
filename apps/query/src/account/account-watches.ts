/**
 * Watches of accounts. Everybody who watches an account shares one reading of it; changes that come fast are drawn together,
 * and who reads slowly gets the newest state, not the ones between. Reading goes to the copy in force each time, so a watch
 * survives its switch.
 */
import type { Clock, ReadCopy } from '@sluice/ports';
import { ACCOUNTS, readAccountsOnce, type AccountSnapshot } from '@sluice/projections/account';
import type { StandingFeed } from '../standing';

/** Between two looks at the watched accounts. */
const LOOK_MS = 50;
/** Accounts looked at in one call. */
const ACCOUNTS_PER_LOOK = 1_000;

interface WatchedAccount {
  /** Sequence of the newest state that was handed out. */
  sequence: number;
  readonly watchers: Set<(snapshot: AccountSnapshot) => void>;
}

export class AccountWatches {
  private readonly watched = new Map<string, WatchedAccount>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly feed: StandingFeed,
    private readonly clock: Clock,
    private readonly trouble: (error: unknown) => void,
  ) {}

  /** The account's states after `from`, the newest ones, until the signal aborts. */
  async *watch(from: AccountSnapshot, signal: AbortSignal): AsyncGenerator<AccountSnapshot> {
    const { accountId, sequence } = from.account;
    let newest: AccountSnapshot | undefined;
    let wake = (): void => undefined;
    const wakeUp = (): void => wake();
    const remove = this.add(accountId, sequence, (snapshot) => {
      newest = snapshot;
      wake();
    });
    signal.addEventListener('abort', wakeUp);
    this.stopping.signal.addEventListener('abort', wakeUp);
    let sent = sequence;
    try {
      while (!signal.aborted && !this.stopping.signal.aborted) {
        const state = newest;
        newest = undefined;
        if (state !== undefined && state.account.sequence !== sent) {
          sent = state.account.sequence;
          yield state;
        } else if (newest === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', wakeUp);
      this.stopping.signal.removeEventListener('abort', wakeUp);
      remove();
    }
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private add(accountId: string, sequence: number, watcher: (snapshot: AccountSnapshot) => void): () => void {
    let account = this.watched.get(accountId);
    if (account === undefined) {
      account = { sequence, watchers: new Set() };
      this.watched.set(accountId, account);
    }
    // Who comes with an older state than was handed out last must get that one too.
    account.sequence = Math.min(account.sequence, sequence);
    account.watchers.add(watcher);
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return () => {
      account.watchers.delete(watcher);
      if (account.watchers.size === 0 && this.watched.get(accountId) === account) this.watched.delete(accountId);
    };
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (this.watched.size > 0 && !signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        this.trouble(error);
      }
      await new Promise<void>((resolve) => this.clock.after(LOOK_MS, resolve));
      if (!signal.aborted && this.watched.size > 0) await this.feed.changed(Number.POSITIVE_INFINITY, signal);
    }
  }

  private async look(): Promise<void> {
    const copy = await this.feed.copy();
    const accountIds = [...this.watched.keys()];
    for (let at = 0; at < accountIds.length; at += ACCOUNTS_PER_LOOK) await this.lookAt(copy, accountIds.slice(at, at + ACCOUNTS_PER_LOOK));
  }

  private async lookAt(copy: ReadCopy, accountIds: readonly string[]): Promise<void> {
    const rows = await copy.getMany(ACCOUNTS.name, accountIds);
    const changed = accountIds.filter((accountId, index) => {
      const sequence = rows[index]?.sequence;
      return sequence !== undefined && sequence !== this.watched.get(accountId)?.sequence;
    });
    // An account whose rows are torn keeps its old sequence here: the next look reads it again.
    for (const snapshot of changed.length === 0 ? [] : (await readAccountsOnce(copy, changed, true)).snapshots) {
      if (snapshot === undefined) continue;
      const account = this.watched.get(snapshot.account.accountId);
      if (account === undefined) continue;
      account.sequence = snapshot.account.sequence;
      for (const watcher of account.watchers) watcher(snapshot);
    }
  }
}
