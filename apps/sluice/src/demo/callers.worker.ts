/**
 * The callers of the demo, in a thread of their own so that they take no time from the server: many who know nothing of
 * each other, each posting one request after another to the same account.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SluiceClient, SluiceError } from '@sluice/client';
import type { CallersOptions, CallersReport } from './callers';

async function callAll({ target, accountId, unit, callers, seconds }: CallersOptions): Promise<void> {
  const client = new SluiceClient({ target });
  const endsAt = performance.now() + seconds * 1_000;
  let acknowledged = 0;
  const tell = (report: Omit<CallersReport, 'acknowledged'>): void => parentPort?.postMessage({ acknowledged, ...report } satisfies CallersReport);
  const reporting = setInterval(() => tell({ finished: false }), REPORT_PERIOD_MS);
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await client.accounts.credit({ accountId, unit, amountMinor: 1n, channel: 'demo' });
      acknowledged += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: callers }, caller));
    tell({ finished: true });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, reason, message } = error;
    tell({ finished: true, failure: { code, reason, message } });
  } finally {
    clearInterval(reporting);
    client.close();
  }
}

const REPORT_PERIOD_MS = 100;

void callAll(workerData as CallersOptions).catch((error: unknown) => {
  // Ends the thread; the demo hears of it.
  throw error;
});
