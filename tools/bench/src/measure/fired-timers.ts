/** The timers that fire, as the log tells them. */
import { logEvents, type logpb, usFromTimestamp } from '@sluice/protocol';

export interface FiredTimers {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly committedAtMs: number;
  /** When this process knew of it. */
  readonly seenAtMs: number;
}

/** Undefined: the commit fired none. */
export function firedIn({ partition, sequence, events, committedAt }: logpb.CommitView): FiredTimers | undefined {
  let count = 0;
  for (const { type, version, event } of events) {
    const place = { partition, sequence: Number(sequence) };
    count += logEvents.readOnly('TimersFired', { type, version, payload: event?.value ?? new Uint8Array(0) }, place)?.numbers.length ?? 0;
  }
  if (count === 0) return undefined;
  return { count, committedAtMs: Number(usFromTimestamp(committedAt ?? { seconds: 0n, nanos: 0 })) / 1_000, seenAtMs: Date.now() };
}
