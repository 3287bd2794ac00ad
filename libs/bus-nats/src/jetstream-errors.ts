/** What JetStream's errors mean to us, by the server's error codes. */
import { JetStreamApiError } from '@nats-io/jetstream';

const STREAM_NAME_IN_USE = 10_058;
const STREAM_NOT_FOUND = 10_059;
const WRONG_LAST_SEQUENCE: readonly number[] = [10_071, 10_164];

/** Somebody else wrote to the subject since we looked. */
export function isBehind(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code);
}

/** The stream is not there: it is not found by its name, or nobody takes messages of its subjects (which the client reports in its own way). */
export function isStreamGone(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === STREAM_NOT_FOUND;
  return error instanceof Error && (error.name === 'JetStreamNotEnabled' || error.message === '503' || error.message.includes('no responders'));
}

export function isStreamNameInUse(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE;
}
