/** What a setting is, and its forms. */
import type { ZodType } from 'zod';

export interface Setting<Value> {
  readonly type: ZodType<Value>;
  /** What it is for; one line. */
  readonly meaning: string;
  /** The default, as people read it. */
  readonly defaultText: string;
  /** Never shown: masked wherever it might appear. */
  readonly secret: boolean;
}

/** By the key in the file. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

export function setting<Value>(type: ZodType<Value>, byDefault: Value & (string | number | boolean), meaning: string): Setting<Value> {
  return { type: type.default(byDefault as never), meaning, defaultText: `\`${byDefault}\``, secret: false };
}

/** A setting without a value of its own; `otherwise` says what holds then. */
export function optional<Value>(type: ZodType<Value>, otherwise: string, meaning: string): Setting<Value | undefined> {
  return { type: type.optional(), meaning, defaultText: otherwise, secret: false };
}

export function secret(type: ZodType<string>, otherwise: string, meaning: string): Setting<string | undefined> {
  return { ...optional(type, otherwise, meaning), secret: true };
}
