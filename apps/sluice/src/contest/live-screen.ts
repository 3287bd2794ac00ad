/** Lines that are drawn over themselves on a terminal. */
import type { Screen } from '../output';

const ERASE_LINE = '\u001b[2K';
const ERASE_BELOW = '\u001b[0J';
const cursorUp = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A`);

export class LiveScreen {
  private drawn = 0;

  constructor(private readonly screen: Screen) {}

  draw(lines: readonly string[]): void {
    this.screen.write(`${cursorUp(this.drawn)}\r${lines.map((line) => `${ERASE_LINE}${line}\n`).join('')}${ERASE_BELOW}`);
    this.drawn = lines.length;
  }
}
