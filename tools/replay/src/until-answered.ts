/** Calls that are made again while the server is away. */
import { SluiceError } from '@sluice/client';
import { pause } from './task-outages';

const AGAIN_MS = 100;

/** Calls until a server answers; throws its last refusal when the patience is over. */
export async function untilAnswered<Answer>(call: () => Promise<Answer>, patienceMs = Number.POSITIVE_INFINITY): Promise<Answer> {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SluiceError) || !isAway(error) || Date.now() > untilMs) throw error;
      await pause(AGAIN_MS);
    }
  }
}

export function isAway({ code, message }: SluiceError): boolean {
  // A connection that is lost in the middle of a call.
  const isLost = code === 'INTERNAL' && message.includes('RST_STREAM');
  return isLost || code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED' || code === 'RESOURCE_EXHAUSTED';
}
