/** Lines that are drawn over themselves on a terminal. */
import type { Screen } from './output';

const ERASE_LINE = '\u001b[2K';
const ERASE_BELOW = '\u001b[0J';
/** What is wider than the terminal, like a text of wide characters, ends at its edge: a line that went on in the next row would not be drawn over. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
const cursorUp = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A`);

export class LiveScreen {
  private drawn = 0;

  constructor(private readonly screen: Screen) {}

  /** As many of the lines as the terminal holds, the first ones: the cursor does not go back above its top. One that says 0 does not know its height. */
  draw(lines: readonly string[]): void {
    const { rows } = this.screen;
    // The cursor is on a row of its own below them.
    const shown = rows ? lines.slice(0, Math.max(1, rows - 1)) : lines;
    this.screen.write(`${WRAP_OFF}${cursorUp(this.drawn)}\r${shown.map((line) => `${ERASE_LINE}${line}\n`).join('')}${ERASE_BELOW}${WRAP_ON}`);
    this.drawn = shown.length;
  }
}
