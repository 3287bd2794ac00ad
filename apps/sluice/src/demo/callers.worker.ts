/**
 * The callers of the demo, in a thread of their own so that they take no time from the server: many who know nothing of
 * each other, each posting one request after another to the same account.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SluiceClient } from '@sluice/client';
import type { CallersOptions, CallersReport } from './callers';

async function callAll({ target, accountId, unit, callers, seconds }: CallersOptions): Promise<void> {
  const client = new SluiceClient({ target });
  const endsAt = performance.now() + seconds * 1_000;
  let acknowledged = 0;
  const report = (finished: boolean): void => parentPort?.postMessage({ acknowledged, finished } satisfies CallersReport);
  const reporting = setInterval(() => report(false), REPORT_PERIOD_MS);
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await client.accounts.credit({ accountId, unit, amountMinor: 1n, channel: 'demo' });
      acknowledged += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: callers }, caller));
  } finally {
    clearInterval(reporting);
    client.close();
  }
  report(true);
}

const REPORT_PERIOD_MS = 100;

void callAll(workerData as CallersOptions).catch((error: unknown) => {
  // Ends the thread; the demo hears of it.
  throw error;
});
