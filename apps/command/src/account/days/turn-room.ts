/**
 * What the steps of ends of day may record in one turn, together: a commit has to fit one record of the log, and a turn may take steps of many branches at once. A step that finds no room looks at
 * no account, and its branch asks for it again.
 */
import type { Turn } from '@sluice/engine';

const TURN_BYTES = 1 << 20;

export class TurnRoom {
  private turn: Turn | undefined;
  private bytes = 0;

  left(turn: Turn): number {
    return turn === this.turn ? Math.max(0, TURN_BYTES - this.bytes) : TURN_BYTES;
  }

  take(turn: Turn, bytes: number): void {
    this.bytes = bytes + (turn === this.turn ? this.bytes : 0);
    this.turn = turn;
  }
}
