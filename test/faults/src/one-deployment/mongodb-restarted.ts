import { until } from '@sluice/judged-load';
import { MongoClient } from 'mongodb';
import { type Fault } from '../harness/under-load';

const AWAY_MS = 1_000;
/** MongoDB counts as back when it answers a write and a read within this time. The stand-in listens seconds before that. */
const ANSWERS_WITHIN_MS = 250;

async function answersInTime(url: string): Promise<boolean> {
  const client = new MongoClient(url);
  try {
    await client.connect();
    const rows = client.db('answers').collection<{ _id: string }>('rows');
    const startMs = performance.now();
    await rows.replaceOne({ _id: 'row' }, {}, { upsert: true });
    await rows.findOne({ _id: 'row' });
    return performance.now() - startMs < ANSWERS_WITHIN_MS;
  } finally {
    await client.close();
  }
}

export const mongodbRestarted: Fault = {
  name: 'graceful restart of MongoDB: what was not durable is decided again, what was is answered',
  run: async ({ distributed, load, withoutService }) => {
    await withoutService(async () => {
      await distributed.mongodb.stop();
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await distributed.mongodb.restart();
      await until('MongoDB answers in time', () => answersInTime(distributed.mongodb.url));
    });
    await load.moreEverywhere(100);
  },
};
