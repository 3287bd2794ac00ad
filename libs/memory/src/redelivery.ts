/** A message whose handler rejected is handed over again, but not at once: what it failed on may need a moment. */
import type { Clock } from '@sluice/ports';

/** How long a message waits after its handler rejected. */
export const REDELIVERY_DELAY_MS = 50;

/** Resolves after the time, or as soon as the signal aborts. */
export function pause(clock: Clock, milliseconds: number, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      stopping.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(milliseconds, finish);
    stopping.addEventListener('abort', finish);
  });
}
