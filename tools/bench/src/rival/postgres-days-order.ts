import type { RivalAnswer, RivalOrder } from './rival-order';

export interface PostgresDayOrder extends RivalOrder {
  readonly url: string;
  /** Rows of the branch. */
  readonly accounts: number;
}

interface DayWindow extends RivalAnswer {
  /** The longest transaction. */
  readonly longestMs: number;
}

export interface PostgresDayAnswer {
  readonly without: DayWindow;
  /** The window goes on until the end of day has ended. */
  readonly cut: DayWindow;
  readonly endOfDayMs: number;
}
