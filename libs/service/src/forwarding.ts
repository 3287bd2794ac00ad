/**
 * A call that one instance sends on to a partition's owner makes one hop. It names the caller whom the sender verified, and
 * the partition. The receiver believes that only from a peer; from any other caller the name is not even read.
 */
import { Metadata } from '@grpc/grpc-js';
import { type Caller, type Role, ROLES } from './caller';
import { refusal } from './sluice-error';

const FORWARDED_KEY = 'sluice-forwarded-bin';
const MAXIMUM_FORWARDED_BYTES = 1_024;

export interface ForwardedCall {
  readonly caller: Caller;
  /** The partition that the sender takes the receiver to own. */
  readonly partition: number;
}

/** Metadata that sends a call on, beside the peer's own token. */
export function forwardingMetadata({ caller: { name, roles }, partition }: ForwardedCall): Metadata {
  const metadata = new Metadata();
  metadata.set(FORWARDED_KEY, Buffer.from(JSON.stringify({ name, roles: [...roles], partition })));
  return metadata;
}

/** What a peer sent on; undefined: the sender calls for itself, or is no peer. Throws NOT_AUTHENTICATED for a malformed header. */
export function forwardedCallOf(metadata: Metadata, sender: Caller): ForwardedCall | undefined {
  if (!sender.roles.has('peer')) return undefined;
  const [bytes] = metadata.get(FORWARDED_KEY);
  if (bytes === undefined) return undefined;
  const forwarded = Buffer.isBuffer(bytes) && bytes.length <= MAXIMUM_FORWARDED_BYTES ? parse(bytes.toString('utf8')) : undefined;
  if (forwarded === undefined) throw refusal('NOT_AUTHENTICATED', 'the forwarded caller is not well formed');
  return forwarded;
}

function parse(json: string): ForwardedCall | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, roles, partition } = value as { name?: unknown; roles?: unknown; partition?: unknown };
  if (typeof name !== 'string' || name === '' || !Array.isArray(roles)) return undefined;
  if (typeof partition !== 'number' || !Number.isSafeInteger(partition) || partition < 0) return undefined;
  const known = roles.filter((role): role is Role => ROLES.includes(role as Role));
  // The hop ends here: the caller it is for cannot forward in turn.
  return { caller: { name, roles: new Set(known.filter((role) => role !== 'peer')) }, partition };
}
