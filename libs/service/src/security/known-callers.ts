/**
 * The callers that a file names: static tokens and client certificates, with their roles.
 *
 *   { "tokens":       [{ "name": "shop", "sha256": "<hex of the token's SHA-256>", "roles": ["post", "read"] },
 *                      { "name": "ops",  "token": "…",                             "roles": ["read", "operate"] }],
 *     "certificates": [{ "name": "batch.example.com", "roles": ["post"] }] }
 *
 * A certificate's name is its common name or one of its DNS names. Tokens are kept as digests and compared in constant time:
 * every one of them is compared, whichever fits.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { z } from 'zod';
import { type Caller, type Role, ROLES } from '../caller';
import { UnusableFileError } from './unusable-file-error';

export const MINIMUM_TOKEN_LENGTH = 16;
const MAXIMUM_TOKENS = 1_000;

const name = z.string().min(1).max(128);
const roles = z.array(z.enum(ROLES)).min(1);
const token = z.union([
  z.strictObject({ name, roles, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ name, roles, token: z.string().min(MINIMUM_TOKEN_LENGTH) }),
]);
const file = z.strictObject({
  tokens: z.array(token).max(MAXIMUM_TOKENS).default([]),
  certificates: z.array(z.strictObject({ name, roles })).default([]),
});

interface KnownToken {
  readonly digest: Buffer;
  readonly caller: Caller;
}

export class KnownCallers {
  private constructor(
    private readonly tokens: readonly KnownToken[],
    private readonly certificates: ReadonlyMap<string, Caller>,
  ) {}

  static readonly none = new KnownCallers([], new Map());

  /** Throws with the paths of what is wrong; never with a token. */
  static parse(json: string, path: string): KnownCallers {
    let content: unknown;
    try {
      content = JSON.parse(json);
    } catch {
      throw new UnusableFileError(`${path} is not JSON`);
    }
    const parsed = file.safeParse(content);
    if (!parsed.success) {
      const places = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole file');
      throw new UnusableFileError(`${path} is wrong at ${[...new Set(places)].join(', ')}; docs/security.md has its form`);
    }
    const tokens = parsed.data.tokens.map((entry) => ({
      digest: 'sha256' in entry ? Buffer.from(entry.sha256, 'hex') : digestOf(entry.token),
      caller: callerOf(entry.name, entry.roles),
    }));
    return new KnownCallers(tokens, new Map(parsed.data.certificates.map((entry) => [entry.name, callerOf(entry.name, entry.roles)])));
  }

  byToken(given: string): Caller | undefined {
    const digest = digestOf(given);
    let found: Caller | undefined;
    for (const known of this.tokens) {
      if (timingSafeEqual(known.digest, digest)) found = known.caller;
    }
    return found;
  }

  /** The certificate must have been verified. */
  byCertificate(certificate: PeerCertificate): Caller | undefined {
    for (const known of namesOf(certificate)) {
      const caller = this.certificates.get(known);
      if (caller !== undefined) return caller;
    }
    return undefined;
  }

  get namesCertificates(): boolean {
    return this.certificates.size > 0;
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

function callerOf(callerName: string, roleNames: readonly Role[]): Caller {
  return Object.freeze({ name: callerName, roles: new Set(roleNames) });
}

function namesOf(certificate: PeerCertificate): string[] {
  const commonName: unknown = certificate.subject?.CN;
  const dnsNames = (certificate.subjectaltname ?? '')
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice('DNS:'.length));
  return [...(typeof commonName === 'string' ? [commonName] : []), ...dnsNames];
}
