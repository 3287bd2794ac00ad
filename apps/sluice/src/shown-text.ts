/** Texts of callers, like ids and titles, as people see them. */

/** Control characters, ends of lines, and marks that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSHOWN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text on one line, with escapes in place of what a terminal would obey: whoever names a contest must not move the cursor of an operator. */
export function shownText(text: string): string {
  return text.replace(UNSHOWN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
