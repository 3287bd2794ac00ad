/** Times between the library and the messages that travel. */
import { timestampFromUs, type protobufpb } from '@sluice/protocol';

export function timeToWire(time: Date | undefined): protobufpb.Timestamp | undefined {
  return time && timestampFromUs(time.getTime() * 1_000);
}

/** Of a Date, or of microseconds since the epoch. */
export function microseconds(time: Date | number): number {
  return typeof time === 'number' ? Math.floor(time) : time.getTime() * 1_000;
}

export function timeFromWire(time: protobufpb.Timestamp | undefined): Date | undefined {
  return time && new Date(Number(time.seconds) * 1_000 + time.nanos / 1e6);
}
