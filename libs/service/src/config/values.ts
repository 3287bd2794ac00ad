/**
 * The kinds of values that settings have. Each takes what an environment can hold (text) and what JSON can hold, and its
 * messages say what is wanted.
 */
import { z } from 'zod';

/** A whole number in a range, as number or as digits. */
export function wholeNumber(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  const wanted = maximum === Number.MAX_SAFE_INTEGER ? `a whole number from ${minimum} on` : `a whole number from ${minimum} to ${maximum}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value),
    z.int(wanted).min(minimum, wanted).max(maximum, wanted),
  );
}

/** true or false, as boolean or as text. */
export function flag(): z.ZodType<boolean> {
  const words: Record<string, boolean> = { true: true, false: false, '1': true, '0': false };
  return z.preprocess((value) => (typeof value === 'string' ? (words[value.toLowerCase()] ?? value) : value), z.boolean('true or false'));
}

export function text(minimumLength = 1): z.ZodType<string> {
  const wanted = minimumLength === 1 ? 'a text that is not empty' : `at least ${minimumLength} characters`;
  return z.string(wanted).min(minimumLength, wanted);
}

export function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices): z.ZodType<Choices[number]> {
  return z.enum(choices, `one of ${choices.join(', ')}`);
}

/** A URL of one of the schemes; what follows the scheme is its driver's to judge. */
export function urlOf(...schemes: string[]): z.ZodType<string> {
  const wanted = `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return z
    .string(wanted)
    .refine((value) => schemes.some((scheme) => value.startsWith(`${scheme}://`) && value.length > scheme.length + 3), { error: wanted, abort: true })
    .refine(hasReadableCredentials, 'a URL in whose user and password each % is followed by two hexadecimal digits (% itself is %25)');
}

function hasReadableCredentials(value: string): boolean {
  return [...value.matchAll(/:\/\/([^@/]*)@/g)].every(([, credentials = '']) => !/%(?![0-9A-Fa-f]{2})/.test(credentials) && isDecodable(credentials));
}

/** False: the bytes behind the escapes are no UTF-8. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A port, or "off". */
export function portOrOff(): z.ZodType<number | 'off'> {
  const wanted = 'a port from 0 to 65535, or off';
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value),
    z.union([z.literal('off'), z.int().min(0).max(65_535)], wanted),
  );
}

/** HOST:PORT. */
export function hostAndPort(): z.ZodType<string> {
  return z.string('HOST:PORT').regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'HOST:PORT');
}

/** What may stand in the name of a stream and in a subject. */
export function deploymentName(): z.ZodType<string> {
  const wanted = '1 to 64 letters, digits, - and _';
  return z.string(wanted).regex(/^[A-Za-z0-9_-]{1,64}$/, wanted);
}
