/**
 * One line that says what the server does now: postings a second, how far the read store is behind, the hottest account.
 * On a terminal it is written over itself every second; elsewhere it is a plain line every ten seconds.
 */
import type { Clock } from '@sluice/ports';
import type { Screen } from '../output';
import { shownText } from '../shown-text';

/** What is asked for before each line. */
export interface LiveFigures {
  /** Commands decided since the start. */
  readonly commands: number;
  /** From commit to read store, in microseconds; 0: nothing waits. */
  readonly lagUs: number;
  readonly hottestAccount: string | undefined;
}

const TERMINAL_PERIOD_MS = 1_000;
const PLAIN_PERIOD_MS = 10_000;
const ERASE_LINE = '\r\u001b[2K';

export class LiveLine {
  readonly #screen: Screen;
  readonly #figures: () => Promise<LiveFigures>;
  readonly #clock: Clock;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #drawn = false;

  constructor(screen: Screen, figures: () => Promise<LiveFigures>, clock: Clock) {
    this.#screen = screen;
    this.#figures = figures;
    this.#clock = clock;
  }

  start(): void {
    this.#schedule(0, this.#clock.nowUs());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    if (this.#drawn) this.#screen.write('\n');
  }

  #schedule(commandsBefore: number, beforeUs: number): void {
    this.#cancel = this.#clock.after(this.#screen.isTTY === true ? TERMINAL_PERIOD_MS : PLAIN_PERIOD_MS, () => {
      void this.#draw(commandsBefore, beforeUs);
    });
  }

  async #draw(commandsBefore: number, beforeUs: number): Promise<void> {
    // The projector may be starting anew: then this line waits for the next one.
    const figures = await this.#figures().catch(() => undefined);
    if (this.#stopped) return;
    const nowUs = this.#clock.nowUs();
    if (figures !== undefined) {
      const text = liveText(figures, ((figures.commands - commandsBefore) * 1_000_000) / Math.max(1, nowUs - beforeUs));
      if (this.#screen.isTTY === true) {
        this.#screen.write(`${ERASE_LINE}${text.slice(0, Math.max(20, (this.#screen.columns || 120) - 1))}`);
        this.#drawn = true;
      } else {
        this.#screen.write(`${text}\n`);
      }
    }
    this.#schedule(figures?.commands ?? commandsBefore, figures === undefined ? beforeUs : nowUs);
  }
}

export function liveText({ lagUs, hottestAccount }: LiveFigures, postingsPerSecond: number): string {
  const rate = Math.round(postingsPerSecond).toLocaleString('en-US');
  return `${rate} postings/s   projection lag ${(lagUs / 1_000).toFixed(lagUs < 10_000 ? 1 : 0)} ms   hottest account ${shownText(hottestAccount ?? '-')}`;
}
