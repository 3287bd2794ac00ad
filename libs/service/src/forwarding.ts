/**
 * A call that one instance sends on to another (the partition's owner) makes one hop and names whom it is for. The
 * receiver believes that only from a peer; from anybody else the name is not even read.
 */
import { Metadata } from '@grpc/grpc-js';
import type { CallContext } from './call-context';
import { type Caller, type Role, ROLES } from './caller';
import { refusal } from './sluice-error';

const FORWARDED_CALLER_KEY = 'sluice-forwarded-caller-bin';
const MAXIMUM_FORWARDED_BYTES = 1_024;

/** Metadata to send a call on with, beside the peer's own token. Throws for a call that was forwarded already: one hop. */
export function forwardingMetadata(call: CallContext): Metadata {
  if (call.forwarded) throw refusal('PARTITION_UNAVAILABLE', 'two instances each take the other for the owner; the owner is changing');
  const metadata = new Metadata();
  const { name, roles } = call.caller;
  metadata.set(FORWARDED_CALLER_KEY, Buffer.from(JSON.stringify({ name, roles: [...roles] })));
  return metadata;
}

/** Whom a peer forwards for; undefined: the sender calls for itself, or is no peer. */
export function forwardedCallerOf(metadata: Metadata, sender: Caller): Caller | undefined {
  if (!sender.roles.has('peer')) return undefined;
  const [bytes] = metadata.get(FORWARDED_CALLER_KEY);
  if (bytes === undefined) return undefined;
  const caller = Buffer.isBuffer(bytes) && bytes.length <= MAXIMUM_FORWARDED_BYTES ? parseCaller(bytes.toString('utf8')) : undefined;
  if (caller === undefined) throw refusal('NOT_AUTHENTICATED', 'the forwarded caller is not well formed');
  return caller;
}

function parseCaller(json: string): Caller | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, roles } = value as { name?: unknown; roles?: unknown };
  if (typeof name !== 'string' || name === '' || !Array.isArray(roles)) return undefined;
  const known = roles.filter((role): role is Role => ROLES.includes(role as Role));
  // The hop ends here: whoever is forwarded for cannot forward in turn.
  return { name, roles: new Set(known.filter((role) => role !== 'peer')) };
}
