/**
 * What one would do on Redis without an engine: the standings are a sorted set, and every score is one ZINCRBY. Scores that wait at the same moment share
 * connections and syncs, which leans in its favour; nothing finds a score that is sent twice, and there are no sides.
 */
import { randomBytes } from 'node:crypto';
import { answerOrders } from '../machine/orders';
import { drive } from './drive';
import { RedisConnection } from './redis-connection';
import type { RedisOrder } from './redis-order';
import type { RivalAnswer } from './rival-order';

const CONNECTIONS = 8;
const SCORES_IN_FLIGHT = 1_000;
const SETTINGS = ['appendonly', 'appendfsync'] as const;

answerOrders<RedisOrder, RivalAnswer>(async (order) => {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => RedisConnection.connect(order.url)));
  const [first] = connections as [RedisConnection];
  const key = `sluice-bench:${randomBytes(6).toString('hex')}`;
  const before = await settingsOf(first);
  try {
    await set(first, { appendonly: 'yes', appendfsync: order.fsync });
    const callers = Array.from({ length: SCORES_IN_FLIGHT }, (_, at) => {
      const connection = connections[at % CONNECTIONS] as RedisConnection;
      return async () => {
        await connection.ask('ZINCRBY', key, '1', `member-${Math.floor(Math.random() * order.members)}`);
        return 1;
      };
    });
    return await drive(callers, order);
  } finally {
    await first.ask('DEL', key);
    await set(first, before);
    for (const connection of connections) connection.close();
  }
});

type Settings = Readonly<Record<(typeof SETTINGS)[number], string>>;

async function settingsOf(connection: RedisConnection): Promise<Settings> {
  const [appendonly, appendfsync] = await Promise.all(SETTINGS.map(async (name) => (await connection.ask('CONFIG', 'GET', name))?.[1]));
  if (typeof appendonly !== 'string' || typeof appendfsync !== 'string') throw new Error('Redis does not say how it keeps its append-only file');
  return { appendonly, appendfsync };
}

async function set(connection: RedisConnection, settings: Settings): Promise<void> {
  for (const name of SETTINGS) await connection.ask('CONFIG', 'SET', name, settings[name]);
}
