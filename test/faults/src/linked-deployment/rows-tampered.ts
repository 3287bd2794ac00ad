import { caughtUp } from '@sluice/judged-load';
import { MongoClient } from 'mongodb';
import { type Fault } from '../harness/under-load';

export const rowsTampered: Fault = {
  name: 'rows of the read store are tampered with: verification finds it, a rebuild heals it',
  options: { afterwards: false },
  run: async ({ distributed, load, projector, calls }) => {
    await load.stop();
    const address = projector[0]?.address ?? '';
    await caughtUp(calls, address);
    const [account] = load.acknowledged.keys();
    const mongodb = new MongoClient(distributed.mongodb.url, { useBigInt64: true });
    try {
      const collections = await mongodb.db().collections();
      const changes = await Promise.all(
        collections
          .filter(({ collectionName }) => /_accounts_\d+$/.test(collectionName))
          .map((rows) => rows.updateOne({ _id: account as never }, { $inc: { balance_minor: 1_000_000n } })),
      );
      expect(changes.reduce((sum, { modifiedCount }) => sum + modifiedCount, 0)).toBe(1);
    } finally {
      await mongodb.close();
    }
    const { equal, differences } = await calls.verification(address);
    expect(equal).toBe(false);
    expect(differences.join('\n')).toContain(account);
    expect(await calls.rebuilt(address)).toMatchObject({ switched: true });
  },
};
