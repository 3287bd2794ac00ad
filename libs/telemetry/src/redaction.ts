/**
 * Keeps secrets out of what leaves the process for people: log lines, error texts, span attributes. Three nets: names of
 * fields that hold secrets, shapes that secrets have in text, and the very values that the process was configured with.
 */
const MASK = '[redacted]';

/** Fields whose values are never written, at the top of a log record or one level below. */
const SECRET_FIELDS = [
  'authorization',
  'token',
  'bearerToken',
  'password',
  'secret',
  'signingKey',
  'signing_key',
  'keyringSecret',
  'privateKey',
  'credentials',
];

export const redactedPaths: readonly string[] = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]);

/** Shorter values would mask half the alphabet. */
const MINIMUM_SECRET_LENGTH = 6;
const secrets = new Set<string>();

/** From now on this value is masked wherever `redact` meets it. Call it for every secret of the configuration. */
export function protectSecret(value: string): void {
  if (value.length < MINIMUM_SECRET_LENGTH) return;
  secrets.add(value);
  // A log line is JSON: the value may stand there escaped.
  secrets.add(JSON.stringify(value).slice(1, -1));
}

/** Forgets the protected values; for tests. */
export function forgetSecrets(): void {
  secrets.clear();
}

const SHAPES: readonly [RegExp, string][] = [
  // scheme://user:password@host
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'\\]+@/gi, `$1${MASK}@`],
  [/\b(bearer)\s+[a-z0-9._~+/=-]+/gi, `$1 ${MASK}`],
  // A JSON web token: three parts in base64url, the first two JSON objects.
  [/\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g, MASK],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, MASK],
];

/** The text without its secrets. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) {
    if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
  }
  for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
  return clean;
}
