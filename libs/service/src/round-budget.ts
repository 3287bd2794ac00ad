/**
 * Work that comes in bursts, spread over the rounds of the event loop: at most so many pieces run in one round, the others wait in
 * order for the next rounds. Between two rounds timers fire (lease renewals among them) and sockets are read.
 *
 * A commit settles up to 10,000 postings at once. Without a budget all their answers are written in one round, which takes seconds.
 */

/** Begins a round: calls back when the event loop has been through its timers and sockets. */
export type NextRound = (begin: () => void) => void;

/** Resolves when the event loop has been through its timers and sockets. */
export function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Pieces that ran and stay at the front of the queue before it is cut. */
const CUT_AFTER = 1_024;

export class RoundBudget {
  private spent = 0;
  private waiting: (() => void)[] = [];
  private head = 0;
  private roundAhead = false;
  private readonly begin = (): void => this.beginRound();

  constructor(
    private readonly piecesPerRound: number,
    private readonly nextRound: NextRound = setImmediate,
  ) {}

  /** Runs the piece now if the round has room for it and no other piece waits, else in a later round. The piece must not throw. */
  run(piece: () => void): void {
    if (this.noneWaits && this.spend()) piece();
    else this.waiting.push(piece);
  }

  /** For a piece of asynchronous work: undefined if it may run now, else a promise that resolves when it may. */
  room(): Promise<void> | undefined {
    return this.noneWaits && this.spend() ? undefined : new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private get noneWaits(): boolean {
    return this.waiting.length === 0;
  }

  private spend(): boolean {
    if (this.spent >= this.piecesPerRound) return false;
    this.spent += 1;
    this.scheduleRound();
    return true;
  }

  private scheduleRound(): void {
    if (this.roundAhead) return;
    this.roundAhead = true;
    this.nextRound(this.begin);
  }

  private beginRound(): void {
    this.roundAhead = false;
    this.spent = 0;
    const { waiting } = this;
    for (; this.head < waiting.length && this.spend(); this.head += 1) (waiting[this.head] as () => void)();
    if (this.head === waiting.length) {
      this.waiting = [];
      this.head = 0;
    } else if (this.head > CUT_AFTER) {
      this.waiting = waiting.slice(this.head);
      this.head = 0;
    }
  }
}
