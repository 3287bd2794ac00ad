/** Events as plain data for people, by their type. A new capability adds its line. */
import { accountpb, logpb } from '@sluice/protocol';

interface ReadableMessage {
  readonly decode: (bytes: Uint8Array) => unknown;
}

function readable<Message>(codec: { decode(bytes: Uint8Array): Message; toJSON(message: Message): unknown }): ReadableMessage {
  return { decode: (bytes) => codec.toJSON(codec.decode(bytes)) };
}

const EVENTS: ReadonlyMap<string, ReadableMessage> = new Map([
  ['log.OwnershipTaken', readable(logpb.OwnershipTaken)],
  ['account.AccountOpened', readable(accountpb.AccountOpened)],
  ['account.AccountUpdated', readable(accountpb.AccountUpdated)],
  ['account.AccountStatusChanged', readable(accountpb.AccountStatusChanged)],
  ['account.AccountCommandRejected', readable(accountpb.AccountCommandRejected)],
  ['account.PostingsRecorded', readable(accountpb.PostingsRecorded)],
]);

export function readableEvent(type: string, bytes: Uint8Array | undefined): unknown {
  return bytes === undefined ? undefined : EVENTS.get(type)?.decode(bytes);
}
