/**
 * A commit as a message of JetStream. The payload is the encoded commit, or nothing for a pointer; what readers need to
 * know before they decode stands in headers.
 */
import { headers, type MsgHdrs } from '@nats-io/transport-node';

import type { BusMessage } from '@sluice/ports';

const SEQUENCE = 'Sluice-Sequence';
const INCARNATION = 'Sluice-Incarnation';
/** The newest sequence that the stream had of the partition once this message was in it. */
const NEWEST = 'Sluice-Newest';
const POINTER = 'Sluice-Pointer';
const TRACEPARENT = 'traceparent';

/** Room for headers and protocol in the server's payload limit. */
const HEADER_BYTES = 1024;

export interface CommitHeaders {
  readonly sequence: number;
  readonly newest: number;
  readonly incarnation: string;
}

export interface EncodedMessage {
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

export function encodeMessage(message: BusMessage, incarnation: string, newest: number, maxPayloadBytes: number): EncodedMessage {
  const head = headers();
  head.set(SEQUENCE, String(message.sequence));
  head.set(INCARNATION, incarnation);
  head.set(NEWEST, String(newest));
  if (message.traceparent !== undefined) head.set(TRACEPARENT, message.traceparent);
  const fits = message.bytes !== undefined && message.bytes.length + HEADER_BYTES <= maxPayloadBytes;
  if (!fits) head.set(POINTER, '1');
  return { payload: fits ? message.bytes : new Uint8Array(0), headers: head };
}

/** Undefined: it is no commit of ours. */
export function readHeaders(head: MsgHdrs | undefined): CommitHeaders | undefined {
  const sequence = Number(head?.get(SEQUENCE) ?? '');
  const incarnation = head?.get(INCARNATION) ?? '';
  if (!Number.isSafeInteger(sequence) || sequence < 1 || incarnation === '') return undefined;
  return { sequence, incarnation, newest: Number(head?.get(NEWEST) ?? sequence) };
}

export function decodeMessage(partition: number, { sequence }: CommitHeaders, head: MsgHdrs | undefined, payload: Uint8Array): BusMessage {
  const traceparent = head?.get(TRACEPARENT) ?? '';
  const pointer = head?.has(POINTER) ?? false;
  return { partition, sequence, bytes: pointer ? undefined : payload, ...(traceparent !== '' && { traceparent }) };
}
