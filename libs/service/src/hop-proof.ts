/**
 * A call that one instance sends on to a partition's owner makes one hop. It names the caller whom the sender verified, and
 * the partition. The receiver believes that only from a peer, and a peer proves itself in every configuration:
 *
 *   sluice-hop-bin = HMAC-SHA256(key of the keyring, method path ‖ 0 ‖ claim) ‖ claim
 *   claim          = {"name": …, "roles": […], "partition": …}
 *
 * All command instances over one log have the secret of its keyring (another one is refused when the keyring is opened), so the key
 * is derived from it: nothing has to be stored, distributed or looked up. It does not depend on SLUICE_DEPLOYMENT: two deployments on
 * one log by mistake know each other's hops, so that a request between them makes one hop and does not go in circles. The key itself never travels. A proof that is
 * overheard can be used again for the same caller, method and partition; where others can listen, TLS keeps it secret. It has no
 * time in it, because the clocks of instances may differ by any amount.
 */
import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { type Caller, type Role, ROLES } from './caller';
import { refusal } from './sluice-error';

const HOP_KEY = 'sluice-hop-bin';
const KEY_BYTES = 32;
const PROOF_BYTES = 32;
/** The name of a caller is the longest part of a claim. */
const MAXIMUM_CLAIM_BYTES = 4_096;

export interface ForwardedCall {
  readonly caller: Caller;
  /** The partition that the sender takes the receiver to own. */
  readonly partition: number;
}

export class HopProof {
  constructor(private readonly key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`the key of hops has ${KEY_BYTES} bytes`);
  }

  /** The proof of the instances that share a keyring, from its secret. Slow on purpose: a proof that is overheard must not give a weak secret away. */
  static derive(secret: string): Promise<HopProof> {
    return new Promise((resolve, reject) => {
      scrypt(secret, 'sluice hops', KEY_BYTES, (error, key) => {
        if (error === null) resolve(new HopProof(key));
        else reject(error);
      });
    });
  }

  /** Metadata that sends a call of the method on. */
  metadataOf(method: string, { caller: { name, roles }, partition }: ForwardedCall): Metadata {
    const claim = Buffer.from(JSON.stringify({ name, roles: [...roles], partition }));
    const metadata = new Metadata();
    metadata.set(HOP_KEY, Buffer.concat([this.proofOf(method, claim), claim]));
    return metadata;
  }

  /**
   * What a peer claims; 'unproven': there is a claim, and no instance with this keyring's secret made it; undefined: there is none.
   * Throws NOT_AUTHENTICATED for a proven claim of another form.
   */
  read(method: string, metadata: Metadata): ForwardedCall | 'unproven' | undefined {
    const [bytes] = metadata.get(HOP_KEY);
    if (bytes === undefined) return undefined;
    if (!Buffer.isBuffer(bytes) || bytes.length < PROOF_BYTES || bytes.length > PROOF_BYTES + MAXIMUM_CLAIM_BYTES) return 'unproven';
    const claim = bytes.subarray(PROOF_BYTES);
    if (!timingSafeEqual(bytes.subarray(0, PROOF_BYTES), this.proofOf(method, claim))) return 'unproven';
    const forwarded = parse(claim.toString('utf8'));
    if (forwarded === undefined) throw refusal('NOT_AUTHENTICATED', 'the forwarded caller is not well formed');
    return forwarded;
  }

  private proofOf(method: string, claim: Buffer): Buffer {
    return createHmac('sha256', this.key).update(method).update('\0').update(claim).digest();
  }
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
