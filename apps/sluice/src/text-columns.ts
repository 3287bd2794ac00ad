/** Texts side by side on a terminal. */
import { shownText } from './shown-text';

const MAXIMUM_NAME = 24;
const MINIMUM_LEFT = 10;

/** Texts of the same length, cut where they are longer than a name may be. */
export function columnOf(texts: readonly string[], align: 'left' | 'right' = 'left'): string[] {
  const shown = texts.map((text) => cut(shownText(text), MAXIMUM_NAME));
  const width = Math.max(0, ...shown.map(({ length }) => length));
  return shown.map((text) => (align === 'left' ? text.padEnd(width) : text.padStart(width)));
}

/** One text at the left end of a line and one at its right end. */
export function spread(left: string, right: string, columns: number): string {
  return `${cut(left, Math.max(MINIMUM_LEFT, columns - right.length - 2))}`.padEnd(Math.max(0, columns - right.length)) + right;
}

export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}
