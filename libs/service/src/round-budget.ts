/**
 * Work that comes in bursts, spread over the rounds of the event loop: at most so many pieces of it run in one round, the rest waits for the next
 * rounds. Between two rounds timers fire (lease renewals among them) and sockets are read. Callers of which something waits take turns, so that a
 * caller with one request does not wait behind all requests of a caller that floods.
 *
 *   room in this round, and none waits ──▶ run at once
 *   else ──▶ waits with its caller's ──next rounds: callers in turn, of each so many pieces as its turn pays for──▶ run
 *
 * A commit settles up to 10,000 postings at once. Without a budget all their answers are written in one round, which takes seconds; and a socket
 * brings up to 2 MiB in one round, which are 25,000 postings to scan.
 *
 * Turns are those of deficit round robin (Shreedhar and Varghese, 1995): what a piece costs beyond its caller's turn is taken off the caller's next turns.
 */

/** Begins a round: calls back when the event loop has been through its timers and sockets. */
export type NextRound = (begin: () => void) => void;

/** Resolves when the event loop has been through its timers and sockets. */
export function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whose turn a piece takes. The identity is asked for only when the piece has to wait. */
export interface RoundCaller {
  readonly identity: string;
}

/** A piece of work must not throw. It returns the bytes that it handled. */
export type Piece = () => number;

interface WaitingPiece {
  readonly run: Piece;
  /** What it keeps in memory while it waits. */
  readonly bytes: number;
}

/** So many bytes cost as much as one piece: 20 to 100 µs. */
const PIECE_BYTES = 4_096;
/** Pieces that a caller may run in one turn. */
const TURN_PIECES = 8;
/** Pieces that wait may keep so much in memory; beyond it a caller is crowding when it has more than an equal part of that. */
const MAXIMUM_WAITING_BYTES = 64 << 20;
/** What ran and stays at the front of a queue before it is cut. */
const CUT_AFTER = 1_024;

export class RoundBudget {
  private spent = 0;
  private waitingBytes = 0;
  /** Callers of which something waits, in the order of their turns. */
  private readonly turns = new Fifo<WaitingCaller>();
  private readonly callers = new Map<string, WaitingCaller>();
  private roundAhead = false;
  private readonly begin = (): void => this.beginRound();

  constructor(
    private readonly piecesPerRound: number,
    private readonly nextRound: NextRound = setImmediate,
  ) {}

  /**
   * Runs the piece now if the round has room for it and no other piece waits, else in a later round, behind what its caller has waiting.
   * @param bytes what the piece keeps in memory while it waits.
   */
  run(caller: RoundCaller, piece: Piece, bytes = 0): void {
    if (this.hasRoom) this.spend(costOf(piece()));
    else this.wait(caller, { run: piece, bytes });
  }

  /** For a piece of asynchronous work of so many bytes: undefined if it may run now, else a promise that resolves when it may. */
  room(caller: RoundCaller, bytes: number): Promise<void> | undefined {
    if (!this.hasRoom) {
      return new Promise<void>((resolve) => {
        const run = (): number => {
          resolve();
          return bytes;
        };
        this.wait(caller, { run, bytes });
      });
    }
    this.spend(costOf(bytes));
    return undefined;
  }

  /** Whether so much waits that no more of this caller may: its own part is above an equal one. A caller with little waiting never crowds. */
  isCrowdedBy(caller: RoundCaller): boolean {
    if (this.waitingBytes <= MAXIMUM_WAITING_BYTES) return false;
    const own = this.callers.get(caller.identity)?.bytes ?? 0;
    return own * this.callers.size > MAXIMUM_WAITING_BYTES;
  }

  private get hasRoom(): boolean {
    return this.turns.empty && this.spent < this.piecesPerRound;
  }

  private spend(cost: number): void {
    this.spent += cost;
    this.scheduleRound();
  }

  private wait({ identity }: RoundCaller, piece: WaitingPiece): void {
    let waiting = this.callers.get(identity);
    if (waiting === undefined) {
      waiting = new WaitingCaller(identity);
      this.callers.set(identity, waiting);
      this.turns.push(waiting);
    }
    waiting.pieces.push(piece);
    waiting.bytes += piece.bytes;
    this.waitingBytes += piece.bytes;
    this.scheduleRound();
  }

  private scheduleRound(): void {
    if (this.roundAhead) return;
    this.roundAhead = true;
    this.nextRound(this.begin);
  }

  private beginRound(): void {
    this.roundAhead = false;
    this.spent = 0;
    for (let caller = this.turns.first; caller !== undefined && this.spent < this.piecesPerRound; caller = this.turns.first) {
      this.takeTurn(caller);
      if (caller.pieces.empty) {
        this.turns.shift();
        this.callers.delete(caller.identity);
      } else if (caller.credit <= 0) {
        this.turns.shift();
        this.turns.push(caller);
      }
    }
  }

  /** Runs what the caller's turn pays for, or begins to if the round ends before. */
  private takeTurn(caller: WaitingCaller): void {
    if (caller.credit <= 0) caller.credit += TURN_PIECES;
    while (caller.credit > 0 && this.spent < this.piecesPerRound) {
      const piece = caller.pieces.shift();
      if (piece === undefined) return;
      caller.bytes -= piece.bytes;
      this.waitingBytes -= piece.bytes;
      const cost = costOf(piece.run());
      // No debt above a round's work: else one huge piece would cost its caller thousands of turns, each to be counted.
      caller.credit = Math.max(caller.credit - cost, -this.piecesPerRound);
      this.spend(cost);
    }
  }
}

class WaitingCaller {
  readonly pieces = new Fifo<WaitingPiece>();
  /** What its pieces keep in memory. */
  bytes = 0;
  /** Pieces that its turn still pays for; below 0: what is taken off its next turns. */
  credit = 0;

  constructor(readonly identity: string) {}
}

/** Waits in order; taking the first one costs the same however many wait. */
class Fifo<Item> {
  private items: Item[] = [];
  private head = 0;

  get empty(): boolean {
    return this.head === this.items.length;
  }

  get first(): Item | undefined {
    return this.items[this.head];
  }

  push(item: Item): void {
    this.items.push(item);
  }

  shift(): Item | undefined {
    if (this.empty) return undefined;
    const item = this.items[this.head];
    this.head += 1;
    if (this.head > CUT_AFTER || this.empty) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}

function costOf(bytes: number): number {
  return 1 + Math.floor(bytes / PIECE_BYTES);
}
