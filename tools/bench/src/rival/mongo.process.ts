/**
 * What one would do on the same MongoDB without an engine: for each request one `$inc` of the balance and one inserted entry,
 * both acknowledged as durably as the server can, from 64 callers. Without a transaction around them, which leans in its
 * favour.
 */
import { randomUUID } from 'node:crypto';
import { type Collection, Long, MongoClient } from 'mongodb';
import { answerOrders } from '../machine/orders';
import { drive } from './drive';
import type { MongoOrder } from './mongo-order';
import type { RivalAnswer } from './rival-order';

const CALLERS = 64;
const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const;

interface Account {
  readonly _id: string;
  readonly balance: Long;
}

interface Entry {
  readonly _id: string;
  readonly account: string;
  readonly amount: Long;
  readonly at: Date;
}

answerOrders<MongoOrder, RivalAnswer>(async (order) => {
  const client = new MongoClient(order.url, { maxPoolSize: CALLERS });
  try {
    await client.connect();
    if (order.kind === 'forget') {
      for (const database of order.databases) await client.db(database).dropDatabase();
      return { accepted: 0, windowMs: 0 };
    }
    const database = client.db(order.database);
    const accounts = database.collection<Account>('accounts', DURABLE);
    await accounts.updateOne({ _id: 'hot' }, { $setOnInsert: { balance: Long.ZERO } }, { upsert: true });
    const entries = database.collection<Entry>('entries', DURABLE);
    return await drive(Array(CALLERS).fill(() => post(accounts, entries)) as (() => Promise<number>)[], order);
  } finally {
    await client.close();
  }
});

async function post(accounts: Collection<Account>, entries: Collection<Entry>): Promise<number> {
  await accounts.updateOne({ _id: 'hot' }, { $inc: { balance: Long.ONE } });
  await entries.insertOne({ _id: randomUUID(), account: 'hot', amount: Long.ONE, at: new Date() });
  return 1;
}
