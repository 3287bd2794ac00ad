/**
 * Bearer tokens that are JSON web tokens, signed by a key of a JSON web key set. Only asymmetric signatures are taken, the
 * issuer and the audience must be ours, and a token must expire.
 *
 * A verified token is remembered until it expires, at most five minutes, so that a call need not wait for a verification;
 * that is also how long a key that was withdrawn may still work.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '@sluice/ports';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { type Caller, type Role, ROLES } from '../caller';
import { refusal } from '../sluice-error';
import { UnusableFileError } from './unusable-file-error';

export interface WebTokenOptions {
  /** https URL of a key set, or the path of a file with one. */
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
  /** Claim with the roles: a list, or a text with spaces between them. */
  readonly rolesClaim: string;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 30;
const KEY_SET_TIMEOUT_MS = 3_000;
const REMEMBERED_MS = 300_000;
const MAXIMUM_REMEMBERED = 10_000;
const MAXIMUM_TOKEN_LENGTH = 16_384;
/** A subject is the name of a caller, which travels with each call that is sent on. */
const MAXIMUM_SUBJECT_LENGTH = 512;
/** Peers are named by the operator in a file; an issuer of tokens for people must not be able to make one. */
const ROLES_BY_TOKEN = ROLES.filter((role) => role !== 'peer');

interface Remembered {
  readonly caller: Caller;
  readonly untilMs: number;
}

export class WebTokens {
  private readonly remembered = new Map<string, Remembered>();

  private constructor(
    private readonly options: WebTokenOptions,
    private readonly verify: (token: string, nowMs: number) => Promise<JWTPayload>,
    private readonly clock: Clock,
  ) {}

  /** Rejects if the file with the keys cannot be used. A URL is asked when the first token comes. */
  static async open(options: WebTokenOptions, clock: Clock): Promise<WebTokens> {
    const { createLocalJWKSet, createRemoteJWKSet, jwtVerify } = await import('jose');
    const keys: JWTVerifyGetKey = /^https:/i.test(options.keys)
      ? createRemoteJWKSet(new URL(options.keys), { timeoutDuration: KEY_SET_TIMEOUT_MS })
      : createLocalJWKSet(await readKeySet(options.keys));
    const verify = async (token: string, nowMs: number): Promise<JWTPayload> => {
      const { payload } = await jwtVerify(token, keys, {
        issuer: options.issuer,
        audience: options.audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(nowMs),
        requiredClaims: ['exp', 'sub'],
      });
      return payload;
    };
    return new WebTokens(options, verify, clock);
  }

  /** Throws NOT_AUTHENTICATED, at once or later. */
  callerOf(token: string): Caller | Promise<Caller> {
    if (token.length > MAXIMUM_TOKEN_LENGTH) throw refusal('NOT_AUTHENTICATED', 'the token is too long');
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.remembered.get(digest);
    if (known !== undefined && known.untilMs > this.nowMs) return known.caller;
    this.remembered.delete(digest);
    return this.verified(token, digest);
  }

  private get nowMs(): number {
    return this.clock.nowUs() / 1_000;
  }

  private async verified(token: string, digest: string): Promise<Caller> {
    const { nowMs } = this;
    let payload: JWTPayload;
    try {
      payload = await this.verify(token, nowMs);
    } catch (cause) {
      throw refusal('NOT_AUTHENTICATED', `the token is refused: ${problemOf(cause)}`);
    }
    if ((payload.sub as string).length > MAXIMUM_SUBJECT_LENGTH) throw refusal('NOT_AUTHENTICATED', 'the subject of the token is too long');
    const caller = Object.freeze({ name: payload.sub as string, roles: rolesOf(payload[this.options.rolesClaim]) });
    if (this.remembered.size >= MAXIMUM_REMEMBERED) this.remembered.clear();
    this.remembered.set(digest, { caller, untilMs: Math.min((payload.exp as number) * 1_000, nowMs + REMEMBERED_MS) });
    return caller;
  }
}

async function readKeySet(path: string): Promise<{ keys: [] }> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UnusableFileError(`${path} cannot be read (${cause.code ?? cause.message})`);
  });
  try {
    const set = JSON.parse(text) as { keys: [] };
    if (Array.isArray(set.keys)) return set;
  } catch {
    // Said below, without the content.
  }
  throw new UnusableFileError(`${path} is not a JSON web key set`);
}

function rolesOf(claim: unknown): ReadonlySet<Role> {
  const names: unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return new Set(ROLES_BY_TOKEN.filter((role) => names.includes(role)));
}

/** jose's errors have codes that say enough; their messages may quote claims. */
function problemOf(cause: unknown): string {
  switch ((cause as { code?: string }).code) {
    case 'ERR_JWT_EXPIRED':
      return 'it is expired';
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return `its claim "${(cause as { claim?: string }).claim ?? ''}" is not the one expected`;
    case 'ERR_JWKS_TIMEOUT':
      return 'the keys of its issuer cannot be had now';
    default:
      return 'it is not signed by a known key';
  }
}
