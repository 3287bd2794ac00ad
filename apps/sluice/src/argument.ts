/** Parsers of what stands on the command line; each says what it wanted. */
import { InvalidArgumentError } from 'commander';

export function minorUnits(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('it is a whole number of minor units, like 2500 for 25.00');
  return int64(text);
}

function int64(text: string): bigint {
  const number = BigInt(text);
  if (BigInt.asIntN(64, number) !== number) throw new InvalidArgumentError('it is a number of 64 bits, at most 9223372036854775807');
  return number;
}

/** 'none' takes a limit away. */
export function minorUnitsOrNone(text: string): bigint | 'none' {
  return text === 'none' ? 'none' : minorUnits(text);
}

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('it is a whole number, 0 or more');
  return number;
}

export function sequenceNumber(text: string): bigint {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it is a sequence: 1, 2, 3 …');
  return int64(text);
}

/** Hex digits of a key. */
export function keyBytes(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new InvalidArgumentError('it is hex, two digits a byte');
  return Buffer.from(text, 'hex');
}

/** KEY=VALUE, gathered over repeated options. */
export function pair(text: string, gathered: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('it is KEY=VALUE');
  return { ...gathered, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A Date has no more than milliseconds. */
export function dateOf(microseconds: number | undefined): Date | undefined {
  return microseconds === undefined ? undefined : new Date(microseconds / 1_000);
}

/** A time in ISO 8601, with up to six digits after the second, as microseconds since the epoch. */
export function timeUs(text: string): number {
  const [, seconds, fraction = '', zone] = /^(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?)?)(?:\.(\d{1,6}))?(Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? [];
  const milliseconds = seconds === undefined ? Number.NaN : Date.parse(`${seconds}${seconds.includes('T') ? (zone ?? 'Z') : ''}`);
  if (Number.isNaN(milliseconds)) throw new InvalidArgumentError('it is a time in ISO 8601, like 2026-01-31T12:00:00.123456Z');
  return milliseconds * 1_000 + Number(fraction.padEnd(6, '0'));
}

/** A date of the calendar, as it is sent. */
export function calendarDate(text: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text)) throw new InvalidArgumentError('it is a date, like 2026-01-31');
  return text;
}

/** NAME,NAME …, each one of those that there are; 'none': an empty list. */
export function listOf<Name extends string>(names: readonly Name[]): (text: string) => readonly Name[] {
  const isName = (part: string): part is Name => names.some((name) => name === part);
  return (text) => {
    const parts = text === 'none' ? [] : text.split(',');
    if (!parts.every(isName)) throw new InvalidArgumentError(`it is a list of ${names.join(', ')}, or none`);
    return parts;
  };
}
