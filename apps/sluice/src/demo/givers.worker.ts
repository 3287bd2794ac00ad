/** The givers of the battle, in a thread of their own so that they take no time from the server: each gives again and again to a member of its side. */
import { parentPort, workerData } from 'node:worker_threads';
import { SluiceClient, SluiceError } from '@sluice/client';
import type { GiversOptions, GiversOrder, GiversReport } from './givers';

/** Between two gifts of a giver at most. */
const PAUSE_MS = 200;
const LOOK_MS = 20;

let order: GiversOrder | 'stop' = 'pause';

async function giveAll({ target, contestId, unit, givers, members, largestGiftMinor }: GiversOptions): Promise<void> {
  const client = new SluiceClient({ target });
  let gifts = 0;
  let amountMinor = 0;
  const tell = (report: Pick<GiversReport, 'failure'>): void => parentPort?.postMessage({ gifts, amountMinor, ...report } satisfies GiversReport);
  const giver = async (giverAccountId: string, ofSide: readonly string[]): Promise<void> => {
    while (order !== 'stop') {
      if (order === 'give') {
        const gift = 1 + Math.floor(Math.random() * largestGiftMinor);
        const accountId = ofSide[Math.floor(Math.random() * ofSide.length)] as string;
        await client.contests.gift({ contestId, accountId, giverAccountId, unit, amountMinor: BigInt(gift) });
        gifts += 1;
        amountMinor += gift;
      }
      await pause(order === 'give' ? Math.random() * PAUSE_MS : LOOK_MS);
    }
  };
  try {
    await Promise.all(givers.flatMap((accounts, side) => accounts.map((account) => giver(account, members[side] as readonly string[]))));
    tell({});
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, reason, message } = error;
    tell({ failure: { code, reason, message } });
  } finally {
    client.close();
    parentPort?.close();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

parentPort?.on('message', (told: GiversOrder | 'stop') => {
  order = told;
});

void giveAll(workerData as GiversOptions).catch((error: unknown) => {
  // Ends the thread; the battle hears of it.
  throw error;
});
