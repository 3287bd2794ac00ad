/** How long a text of a request may be. */
import { invalidRequest } from './sluice-error';

/** Refuses, naming the field, a text that has fewer or more bytes of UTF-8. */
export function checkText(text: string, field: string, minimum: number, maximum: number): void {
  // Most texts are short: a UTF-8 text has at most three bytes per unit.
  if (text.length >= minimum && text.length * 3 <= maximum) return;
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes >= minimum && bytes <= maximum) return;
  throw invalidRequest(field, `has ${bytes} bytes; it must have ${minimum === 0 ? 'at most' : `${minimum} to`} ${maximum}`);
}
