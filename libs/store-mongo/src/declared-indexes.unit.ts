import type { CollectionDefinition } from '@sluice/ports';
import { MongoNetworkTimeoutError } from 'mongodb';
import { ensureIndexes } from './declared-indexes';

const TASKS: CollectionDefinition = {
  name: 'tasks',
  key: 'task_id',
  fields: { task_id: 'text', queue: 'text', due_at_us: 'number' },
  indexes: { by_queue: ['queue', 'due_at_us'] },
};

test('an index whose build takes longer than a connection waits is asked for until it is there', async () => {
  const asked: unknown[] = [];
  const createIndexes = async (indexes: unknown): Promise<string[]> => {
    asked.push(indexes);
    if (asked.length < 3) throw new MongoNetworkTimeoutError('connection 3 to 127.0.0.1 timed out');
    return [];
  };
  await ensureIndexes({ createIndexes }, { definition: TASKS });
  expect(asked).toEqual(new Array(3).fill([{ name: 'by_queue_due_at_us', key: { queue: 1, due_at_us: 1, _id: 1 } }]));
});

test('any other fault is passed on', async () => {
  const createIndexes = async (): Promise<string[]> => Promise.reject(new Error('not authorized'));
  await expect(ensureIndexes({ createIndexes }, { definition: TASKS })).rejects.toThrow('not authorized');
});
