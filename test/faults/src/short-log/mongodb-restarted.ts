import { until } from '@sluice/judged-load';
import { MongoClient } from 'mongodb';
import { type Fault } from '../harness/under-load';

const AWAY_MS = 1_000;
/** What the owner of a partition says when it drops its memory. */
const READ_AGAIN = 'the log is read again';
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
  name: 'graceful restart of MongoDB: owners find out what became of the commits on their way, and none reads its log again',
  run: async ({ distributed, load, command, lines, withoutService }) => {
    const said = (): string[] => command.flatMap(({ name }) => lines.of(name));
    const linesBefore = said().length;
    await withoutService(async () => {
      await distributed.mongodb.stop();
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await distributed.mongodb.restart();
      await until('MongoDB answers in time', () => answersInTime(distributed.mongodb.url));
    });
    await load.moreEverywhere(100);
    const saidSince = said().slice(linesBefore);
    expect(saidSince.filter((line) => line.includes(READ_AGAIN))).toEqual([]);
  },
};
