/** The customers of `sluice demo day`, in a thread of their own: each credits, debits and transfers again and again. Answers are timed, by what is done with the day meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { SluiceClient, SluiceError } from '@sluice/client';
import { type CustomersOptions, type CustomersReport, DAY_PHASES, type DayPhase } from './customers';

/** Between two requests of a customer at most. */
const PAUSE_MS = 40;
const LARGEST_MINOR = 100;
const TRANSFERS = 0.1;
const CREDITS = 0.55;

let phase: DayPhase | 'stop' = 'start';

async function postAll({ target, unit, accountIds, customers }: CustomersOptions): Promise<void> {
  const client = new SluiceClient({ target });
  const longestMs: Record<DayPhase, number> = { start: 0, before: 0, cut: 0, batch: 0, after: 0 };
  let acknowledged = 0;
  let refused = 0;
  let netMinor = 0;
  const tell = (report: Pick<CustomersReport, 'failure'>): void =>
    parentPort?.postMessage({ acknowledged, refused, netMinor, longestMs, ...report } satisfies CustomersReport);
  const anyAccount = (): string => accountIds[Math.floor(Math.random() * accountIds.length)] as string;

  /** @returns what it adds to the accounts together. */
  const post = async (): Promise<number> => {
    const amount = 1 + Math.floor(Math.random() * LARGEST_MINOR);
    const kind = Math.random();
    const posting = { accountId: anyAccount(), unit, amountMinor: BigInt(amount), channel: 'demo' };
    const toAccountId = anyAccount();
    if (kind < TRANSFERS && toAccountId !== posting.accountId) {
      const { accountId: fromAccountId, ...transfer } = posting;
      await client.accounts.transfer({ ...transfer, fromAccountId, toAccountId });
      return 0;
    }
    if (kind < CREDITS) {
      await client.accounts.credit(posting);
      return amount;
    }
    await client.accounts.debit(posting);
    return -amount;
  };

  const customer = async (): Promise<void> => {
    while (phase !== 'stop') {
      const beganAt = performance.now();
      const beganIn = phase;
      try {
        // Added behind the answer: a sum that is read before it would miss what others added meanwhile.
        const addedMinor = await post();
        netMinor += addedMinor;
        acknowledged += 1;
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'FAILED_PRECONDITION') throw error;
        refused += 1;
      }
      const tookMs = performance.now() - beganAt;
      for (const within of phasesFrom(beganIn)) longestMs[within] = Math.max(longestMs[within], tookMs);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
    }
  };

  try {
    await Promise.all(Array.from({ length: customers }, customer));
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

/** Those in which something was under way that began in one of them and has ended now. */
function phasesFrom(began: DayPhase): readonly DayPhase[] {
  return DAY_PHASES.slice(DAY_PHASES.indexOf(began), phase === 'stop' ? undefined : DAY_PHASES.indexOf(phase) + 1);
}

parentPort?.on('message', (told: DayPhase | 'stop') => {
  phase = told;
});

void postAll(workerData as CustomersOptions).catch((error: unknown) => {
  // Ends the thread; the demo hears of it.
  throw error;
});
