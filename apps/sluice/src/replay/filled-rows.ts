/** Waits while the read store is being filled with the rows that a replay reads, as after an upgrade, and says how far it is. */
import { type SluiceClient, SluiceError } from '@sluice/client';
import type { Output, ProgressBar } from '../output';

const LOOK_MS = 250;
/** A line for those who see no bar. */
const LINE_MS = 5_000;

/** @param read a read that is refused while the rows are missing. */
export async function untilFilled(client: Pick<SluiceClient, 'projection'>, read: () => Promise<unknown>, output: Output): Promise<void> {
  let bar: ProgressBar | undefined;
  let lineAtMs = 0;
  while (await isRefused(read)) {
    const { filled, total } = await fillingOf(client);
    bar ??= output.progress('filling the read store', total);
    bar.total(total);
    bar.at(filled);
    if (Date.now() >= lineAtMs) {
      lineAtMs = Date.now() + LINE_MS;
      output.message(`the read store is being filled: ${filled} of ${total} commits`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  bar?.end();
}

async function isRefused(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return false;
  } catch (error) {
    if (error instanceof SluiceError && error.reason === 'PROJECTION_FILLING') return true;
    throw error;
  }
}

/** Commits of the partitions that are being filled. */
async function fillingOf(client: Pick<SluiceClient, 'projection'>): Promise<{ readonly filled: number; readonly total: number }> {
  const sum = { filled: 0, total: 0 };
  for (const { headSequence, filling } of (await client.projection.status()).partitions) {
    if (filling.length === 0) continue;
    sum.total += Number(headSequence);
    sum.filled += Math.min(...filling.map(({ sequence }) => Number(sequence)));
  }
  return sum;
}
