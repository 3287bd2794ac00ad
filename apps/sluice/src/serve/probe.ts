/** Is there a Sluice at this address? */
import { SluiceClient } from '@sluice/client';

/** How long it may take to say so; on one machine it takes some milliseconds. */
const PROBE_MS = 1_000;

export async function isServing(target: string): Promise<boolean> {
  const client = new SluiceClient({ target });
  try {
    await client.waitUntilServing(PROBE_MS);
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
