/**
 * The clients of PostgreSQL, in their own process as our load generator is.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { answerOrders } from '../machine/orders';
import { drive } from './drive';
import type { PostgresOrder } from './postgres-order';
import type { RivalAnswer } from './rival-order';

const ROW_LOCK_CLIENTS = 64;
/** While one batch holds the lock the next one's rows travel. */
const BATCH_CLIENTS = 2;
const BATCH_SIZE = 1_000;

const READ = { name: 'read', text: 'SELECT balance_minor FROM sluice_bench.accounts WHERE account_id = $1 FOR UPDATE' };
const WRITE = { name: 'write', text: 'UPDATE sluice_bench.accounts SET balance_minor = $2 WHERE account_id = $1' };
const RECORD = {
  name: 'record',
  text: 'INSERT INTO sluice_bench.entries (account_id, request_id, amount_minor, balance_after_minor) VALUES ($1, $2, $3, $4)',
};
const RECORD_MANY = {
  name: 'record-many',
  text: `INSERT INTO sluice_bench.batched_entries (account_id, request_id, amount_minor, balance_after_minor)
         SELECT $1, request_id, amount_minor, balance_after_minor
         FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS row (request_id, amount_minor, balance_after_minor)`,
};
const RECORD_LEG = {
  name: 'record-leg',
  text: 'INSERT INTO sluice_bench.transfer_entries (account_id, request_id, amount_minor, balance_after_minor) VALUES ($1, $2, $3, $4)',
};
const READ_TWO = {
  name: 'read-two',
  text: 'SELECT account_id, balance_minor FROM sluice_bench.accounts WHERE account_id IN ($1, $2) ORDER BY account_id FOR UPDATE',
};
const SCORE = { name: 'score', text: 'UPDATE sluice_bench.members SET points = points + 1 WHERE account_id = $1' };
const RESERVE = {
  name: 'reserve',
  text: "INSERT INTO sluice_bench.reservations (number, identity_id, state) VALUES ($1, $2, 'RESERVED') ON CONFLICT (number) DO NOTHING",
};
const ASSOCIATE = {
  name: 'associate',
  text: "UPDATE sluice_bench.reservations SET state = 'ASSOCIATED' WHERE number = $1 AND identity_id = $2 AND state = 'RESERVED'",
};
const READ_CAPACITY = { name: 'read-capacity', text: 'SELECT capacity, taken FROM sluice_bench.resources WHERE resource_id = $1 FOR UPDATE' };
const TAKE_PLACE = { name: 'take-place', text: 'UPDATE sluice_bench.resources SET taken = taken + 1 WHERE resource_id = $1' };
const PLACES = 1_000_000_000;
const MANY_ACCOUNTS = 100_000;
const MEMBERS = 10_000;
const COLUMNS = `
  entry_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id text NOT NULL, request_id text NOT NULL,
  amount_minor bigint NOT NULL, balance_after_minor bigint NOT NULL, committed_at timestamptz NOT NULL DEFAULT now()`;

const POSTS: Readonly<Record<PostgresOrder['way'], (client: Client) => Promise<number>>> = {
  rowLock: postOne,
  batch: postBatch,
  twoRows: (client) => transferOne(client, 2),
  twoRowsOfMany: (client) => transferOne(client, MANY_ACCOUNTS),
  scores: scoreOne,
  reservations: reserveAndAssociate,
  places: takePlace,
};

answerOrders<PostgresOrder, RivalAnswer>(async ({ url, way, warmUpMs, windowMs }) => {
  const clients = await Promise.all(
    Array.from({ length: way === 'batch' ? BATCH_CLIENTS : ROW_LOCK_CLIENTS }, async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  try {
    await makeTables(clients[0] as Client);
    const post = POSTS[way];
    return await drive(
      clients.map((client) => () => post(client)),
      { warmUpMs, windowMs },
    );
  } finally {
    await (clients[0] as Client).query('DROP SCHEMA sluice_bench CASCADE');
    await Promise.all(clients.map((client) => client.end()));
  }
});

async function makeTables(client: Client): Promise<void> {
  await client.query(`
    DROP SCHEMA IF EXISTS sluice_bench CASCADE;
    CREATE SCHEMA sluice_bench;
    CREATE TABLE sluice_bench.accounts (account_id text PRIMARY KEY, balance_minor bigint NOT NULL);
    CREATE TABLE sluice_bench.entries (${COLUMNS}, UNIQUE (request_id));
    CREATE TABLE sluice_bench.transfer_entries (${COLUMNS}, UNIQUE (account_id, request_id));
    CREATE TABLE sluice_bench.batched_entries (${COLUMNS});
    INSERT INTO sluice_bench.accounts VALUES ('hot', 0);
    INSERT INTO sluice_bench.accounts SELECT 'account-' || number, 1000000000 FROM generate_series(0, ${MANY_ACCOUNTS - 1}) AS number;
    CREATE TABLE sluice_bench.members (account_id text PRIMARY KEY, points bigint NOT NULL);
    INSERT INTO sluice_bench.members SELECT 'member-' || number, 0 FROM generate_series(0, ${MEMBERS - 1}) AS number;
    CREATE TABLE sluice_bench.reservations (number text PRIMARY KEY, identity_id text NOT NULL, state text NOT NULL);
    CREATE TABLE sluice_bench.resources (resource_id text PRIMARY KEY, capacity bigint NOT NULL, taken bigint NOT NULL);
    INSERT INTO sluice_bench.resources VALUES ('hot', ${PLACES}, 0)`);
}

async function postOne(client: Client): Promise<number> {
  await client.query('BEGIN');
  const balanceAfter = (await readBalance(client)) + 1n;
  if (balanceAfter < 0n) throw new Error('insufficient funds');
  await client.query({ ...WRITE, values: ['hot', balanceAfter] });
  await client.query({ ...RECORD, values: ['hot', randomUUID(), 1n, balanceAfter] });
  await client.query('COMMIT');
  return 1;
}

/** From a random one of the first accounts to another. */
async function transferOne(client: Client, accounts: number): Promise<number> {
  const from = Math.floor(Math.random() * accounts);
  const to = (from + 1 + Math.floor(Math.random() * (accounts - 1))) % accounts;
  const [fromId, toId] = [`account-${from}`, `account-${to}`];
  const requestId = randomUUID();
  await client.query('BEGIN');
  const { rows } = await client.query<{ account_id: string; balance_minor: string }>({ ...READ_TWO, values: [fromId, toId] });
  const balanceOf = (accountId: string): bigint => BigInt(rows.find((row) => row.account_id === accountId)?.balance_minor ?? '0');
  const debited = balanceOf(fromId) - 1n;
  const credited = balanceOf(toId) + 1n;
  if (debited < 0n) throw new Error('insufficient funds');
  await client.query({ ...WRITE, values: [fromId, debited] });
  await client.query({ ...WRITE, values: [toId, credited] });
  await client.query({ ...RECORD_LEG, values: [fromId, requestId, -1n, debited] });
  await client.query({ ...RECORD_LEG, values: [toId, requestId, 1n, credited] });
  await client.query('COMMIT');
  return 1;
}

async function scoreOne(client: Client): Promise<number> {
  await client.query({ ...SCORE, values: [`member-${Math.floor(Math.random() * MEMBERS)}`] });
  return 1;
}

/** Two requests, each durable by itself. */
async function reserveAndAssociate(client: Client): Promise<number> {
  const values = [randomUUID(), randomIdentity()];
  await client.query({ ...RESERVE, values });
  await client.query({ ...ASSOCIATE, values });
  return 2;
}

async function takePlace(client: Client): Promise<number> {
  await client.query('BEGIN');
  const { rows } = await client.query<{ capacity: string; taken: string }>({ ...READ_CAPACITY, values: ['hot'] });
  if (BigInt(rows[0]?.taken ?? '0') >= BigInt(rows[0]?.capacity ?? '0')) throw new Error('no place is free');
  await client.query({ ...TAKE_PLACE, values: ['hot'] });
  await client.query({ ...RESERVE, values: [randomUUID(), randomIdentity()] });
  await client.query('COMMIT');
  return 1;
}

function randomIdentity(): string {
  return `account-${Math.floor(Math.random() * MANY_ACCOUNTS)}`;
}

async function postBatch(client: Client): Promise<number> {
  const requestIds = Array.from({ length: BATCH_SIZE }, () => randomUUID());
  const amounts = new Array<string>(BATCH_SIZE).fill('1');
  await client.query('BEGIN');
  const balance = await readBalance(client);
  const balancesAfter = Array.from({ length: BATCH_SIZE }, (_, index) => String(balance + BigInt(index + 1)));
  await client.query({ ...RECORD_MANY, values: ['hot', requestIds, amounts, balancesAfter] });
  await client.query({ ...WRITE, values: ['hot', balance + BigInt(BATCH_SIZE)] });
  await client.query('COMMIT');
  return BATCH_SIZE;
}

async function readBalance(client: Client): Promise<bigint> {
  const { rows } = await client.query<{ balance_minor: string }>({ ...READ, values: ['hot'] });
  return BigInt(rows[0]?.balance_minor ?? '0');
}
