/**
 * The digest by which a repeat of an account command is recognised. It stands in the events of every log, so it must come out
 * the same for ever: the text that is digested is written down here field by field, and is not derived from a type.
 *
 * The text is that of the first version, which took the JSON of the command: field names in this order, an int64 as its digits
 * and an "n", fields that are not set left out. A field that a command gets later is added at the end, only where it is set, so
 * that commands without it keep their text. Capabilities that came later digest canonical bytes (`requestDigest`).
 */
import { createHash } from 'node:crypto';
import type { AccountCommand, AccountLimits } from '@sluice/domain/account';

const DIGEST_BYTES = 16;

type Field = readonly [name: string, text: string | undefined];

export interface DigestedCommand {
  /** 16 bytes. */
  readonly digest: Uint8Array;
  /** Length of the text. */
  readonly length: number;
}

export function digestCommand(command: AccountCommand): DigestedCommand {
  const text = digestedText(command);
  return { digest: createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES), length: text.length };
}

function digestedText(command: AccountCommand): string {
  switch (command.kind) {
    case 'open':
      return object([
        ['kind', '"open"'],
        ['accountId', quoted(command.accountId)],
        ['unit', quoted(command.unit)],
        ['branchId', quoted(command.branchId)],
        ['product', quoted(command.product)],
        ['limits', limitsText(command.limits)],
        ['signingKeyId', quoted(command.signingKeyId)],
        ['linkedAccountId', command.linkedAccountId === '' ? undefined : quoted(command.linkedAccountId)],
      ]);
    case 'update':
      return object([
        ['kind', '"update"'],
        ['limits', command.limits && limitsText(command.limits)],
        ['product', quoted(command.product)],
        ['signingKeyId', quoted(command.signingKeyId)],
        ['linkedAccountId', quoted(command.linkedAccountId)],
      ]);
    case 'freeze':
      return object([
        ['kind', '"freeze"'],
        ['note', quoted(command.note)],
      ]);
    case 'unfreeze':
      return object([
        ['kind', '"unfreeze"'],
        ['note', quoted(command.note)],
      ]);
    case 'close':
      return object([
        ['kind', '"close"'],
        ['note', quoted(command.note)],
      ]);
    default:
      throw new Error(`no such command: ${String(command satisfies never)}`);
  }
}

function limitsText(limits: AccountLimits): string {
  return object([
    ['overdraftMinor', int64(limits.overdraftMinor)],
    ['maximumBalanceMinor', int64(limits.maximumBalanceMinor)],
    ['maximumPostingMinor', int64(limits.maximumPostingMinor)],
    ['allowedTypes', `[${limits.allowedTypes.map(quoted).join(',')}]`],
  ]);
}

function object(fields: readonly Field[]): string {
  return `{${fields.flatMap(([name, text]) => (text === undefined ? [] : [`"${name}":${text}`])).join(',')}}`;
}

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}

function int64(value: bigint | undefined): string | undefined {
  return value === undefined ? undefined : `"${value}n"`;
}
