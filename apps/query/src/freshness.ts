/**
 * Answers at least as new as asked, and of one moment: a call that carries a position token, or names a sequence, waits until
 * the read store has it; one that reads an aggregate in the middle of a write waits until it is whole. None waits longer than its
 * caller does. A call is refused while the rows that it reads are still being filled.
 */
import type { Clock, ReadCopy } from '@sluice/ports';
import type { PauseBetweenReads } from '@sluice/projections';
import { coversPosition, decodePositionToken, InvalidPositionTokenError, type Position } from '@sluice/protocol';
import { type CallContext, refusal } from '@sluice/service';
import { isBeingFilled, type Standing, type StandingFeed, sequencesOf } from './standing';

/** How long a call without a deadline waits. */
const DEFAULT_WAIT_MS = 5_000;
/** Kept back of a deadline, so that the refusal still reaches the caller. */
const ANSWER_MS = 50;

/** Before torn rows are read again: the first pause, doubled so many times at most. The feed ends every pause after 100 ms. */
const FIRST_PAUSE_MS = 1;
const MAXIMUM_DOUBLINGS = 7;

export class Freshness {
  /** Name of the copy whose rows of the projection are known to be filled. */
  private filled: string | undefined;

  /** @param projection id of the projection whose rows are read. */
  constructor(
    private readonly feed: StandingFeed,
    private readonly clock: Clock,
    private readonly projection: string,
  ) {}

  /** The copy to answer from: it covers the token. */
  async copyFor(positionToken: string, call: CallContext): Promise<ReadCopy> {
    if (positionToken === '') {
      const copy = await this.feed.copy();
      return copy.name === this.filled ? copy : this.filledIn(await this.feed.look());
    }
    return this.copyAt(positionOf(positionToken), call);
  }

  /** The copy to answer from: it has the partition's commits up to the sequence, and covers the token. */
  async copyUpTo(partition: number, sequence: number, positionToken: string, call: CallContext): Promise<ReadCopy> {
    const token = positionToken === '' ? undefined : positionOf(positionToken);
    const incarnation = token?.incarnation ?? (await this.feed.seen()).incarnation;
    if (incarnation === undefined) throw refusal('READ_BEHIND');
    const sequences = new Map(token?.sequences);
    sequences.set(partition, Math.max(sequence, sequences.get(partition) ?? 0));
    return this.copyAt({ incarnation, sequences }, call);
  }

  /** Waits before torn rows of the copy are read again; refuses when the caller's time is over, or another copy came in force. */
  pauseBetweenReads(copy: ReadCopy, call: CallContext): PauseBetweenReads {
    const giveUpMs = this.nowMs() + this.patienceMs(call);
    return async (reads, [key]) => {
      if (call.ended) throw refusal('CANCELLED');
      const pauseMs = FIRST_PAUSE_MS * 2 ** Math.min(reads - 1, MAXIMUM_DOUBLINGS);
      // A pause that would end with the caller's time leaves none to answer in.
      if (giveUpMs - this.nowMs() <= pauseMs || (await this.feed.copy()).name !== copy.name) {
        throw refusal('READ_BEHIND', `"${key}" is being written; ask again`);
      }
      await this.feed.changed(pauseMs, call.signal);
    };
  }

  /** The copy. Refuses while the rows are being filled. */
  private filledIn(standing: Standing): ReadCopy {
    const { copy } = standing;
    if (copy.name === this.filled) return copy;
    if (isBeingFilled(standing, this.projection)) throw refusal('PROJECTION_FILLING');
    // In a copy without any rows nothing is filled yet, and nothing is missing.
    if (sequencesOf(standing, this.projection).size > 0) this.filled = copy.name;
    return copy;
  }

  private async copyAt(position: Position, call: CallContext): Promise<ReadCopy> {
    const giveUpMs = this.nowMs() + this.patienceMs(call);
    for (let standing = await this.feed.seen(); ; standing = await this.feed.look()) {
      if (standing.incarnation === position.incarnation) {
        const copy = this.filledIn(standing);
        const sequences = sequencesOf(standing, this.projection);
        if (coversPosition((partition) => sequences.get(partition), position)) return copy;
      } else if (standing.incarnation !== undefined && (await this.feed.look()).incarnation !== position.incarnation) {
        throw refusal('TOKEN_OF_OTHER_LOG', `the position token is of log incarnation ${position.incarnation}, the read store of ${standing.incarnation}`);
      }
      if (call.ended) throw refusal('CANCELLED');
      const leftMs = giveUpMs - this.nowMs();
      if (leftMs <= 0) throw refusal('READ_BEHIND');
      await this.feed.changed(leftMs, call.signal);
    }
  }

  private patienceMs(call: CallContext): number {
    if (!Number.isFinite(call.deadlineMs)) return DEFAULT_WAIT_MS;
    // Deadlines are counted by the machine's clock.
    return Math.max(0, call.deadlineMs - Date.now() - ANSWER_MS);
  }

  private nowMs(): number {
    return this.clock.nowUs() / 1_000;
  }
}

function positionOf(positionToken: string): Position {
  try {
    return decodePositionToken(positionToken);
  } catch (error) {
    if (error instanceof InvalidPositionTokenError) throw refusal('TOKEN_INVALID', error.message);
    throw error;
  }
}
