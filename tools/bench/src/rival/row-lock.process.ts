/**
 * What most backends do, on the same SQLite and the same disk: one durable transaction per request, which reads the
 * balance, checks it, writes it and writes an entry with a unique request id. Called directly, without a network between,
 * so the comparison leans in its favour.
 */
import Database from 'libsql';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { answerOrders } from '../machine/orders';
import type { RivalAnswer, RowLockOrder } from './rival-order';

/** Transactions between looks at the clock and at new messages. */
const TRANSACTIONS_PER_BREATH = 20;

class RowLockAccount {
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #read: Database.Statement;
  readonly #write: Database.Statement;
  readonly #record: Database.Statement;

  constructor(folder: string) {
    this.#database = new Database(join(folder, 'row-lock.db'));
    this.#database.exec('PRAGMA journal_mode = WAL');
    this.#database.exec('PRAGMA synchronous = FULL');
    this.#database.exec(`
      CREATE TABLE accounts (account_id TEXT PRIMARY KEY, balance_minor INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE entries (
        entry_number INTEGER PRIMARY KEY,
        account_id TEXT NOT NULL,
        request_id TEXT NOT NULL UNIQUE,
        amount_minor INTEGER NOT NULL,
        balance_after_minor INTEGER NOT NULL,
        committed_at_ms INTEGER NOT NULL
      );
      INSERT INTO accounts VALUES ('hot', 0);
    `);
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#database.prepare('COMMIT');
    this.#read = this.#database.prepare('SELECT balance_minor FROM accounts WHERE account_id = ?');
    this.#write = this.#database.prepare('UPDATE accounts SET balance_minor = ? WHERE account_id = ?');
    this.#record = this.#database.prepare(
      'INSERT INTO entries (account_id, request_id, amount_minor, balance_after_minor, committed_at_ms) VALUES (?, ?, ?, ?, ?)',
    );
  }

  post(amountMinor: number): void {
    this.#begin.run();
    const { balance_minor: balance } = this.#read.get('hot') as { balance_minor: number };
    const balanceAfter = balance + amountMinor;
    if (balanceAfter < 0) throw new Error('insufficient funds');
    this.#write.run(balanceAfter, 'hot');
    this.#record.run('hot', randomUUID(), amountMinor, balanceAfter, Date.now());
    this.#commit.run();
  }
}

let account: RowLockAccount | undefined;

async function postFor(hot: RowLockAccount, durationMs: number): Promise<RivalAnswer> {
  const started = performance.now();
  let accepted = 0;
  while (performance.now() - started < durationMs) {
    for (let each = 0; each < TRANSACTIONS_PER_BREATH; each += 1) hot.post(1);
    accepted += TRANSACTIONS_PER_BREATH;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { accepted, windowMs: performance.now() - started };
}

answerOrders<RowLockOrder, RivalAnswer>(async ({ folder, warmUpMs, windowMs }) => {
  account ??= new RowLockAccount(folder);
  await postFor(account, warmUpMs);
  return postFor(account, windowMs);
});
