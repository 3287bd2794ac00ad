/**
 * What an instance does that shares its log with no other: it owns every partition. All of them are loaded before the first one is taken over,
 * so that a start that is refused leaves the log as it was.
 */
import type { Engine } from '@sluice/engine';
import { MissingKeysError } from '@sluice/ports';

/** Throws what `Engine.own` throws; one MissingKeysError for all partitions that lack keys. */
export async function ownAll(engine: Engine): Promise<void> {
  const lacking: MissingKeysError[] = [];
  // One after the other: replaying is bound by this thread, and memory stays low.
  for (let partition = 0; partition < engine.partitionCount; partition += 1) {
    try {
      await engine.prepare(partition);
    } catch (error) {
      if (!(error instanceof MissingKeysError)) throw error;
      lacking.push(error);
    }
  }
  if (lacking.length > 0) throw MissingKeysError.sum(lacking);
  for (let partition = 0; partition < engine.partitionCount; partition += 1) await engine.own(partition);
}
