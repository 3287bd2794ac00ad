/**
 * Answers at least as new as asked, and of one moment: a call that carries a position token, or names a sequence, waits until
 * the read store has it; one that reads an aggregate in the middle of a write waits until it is whole. None waits longer than its
 * caller does. A call is refused while the rows that it reads are still being filled.
 */
import type { Clock, ReadCopy } from '@sluice/ports';
import type { PauseBetweenReads } from '@sluice/projections';
import {
  coversPosition,
  decodePositionToken,
  encodePositionToken,
  InvalidPositionTokenError,
  mergePositions,
  type Position,
  PositionOfOtherLogError,
} from '@sluice/protocol';
import { type CallContext, invalidRequest, refusal, type SluiceError } from '@sluice/service';
import { AnswerWait } from './answer-wait';
import { isBeingFilled, type Standing, type StandingFeed, sequencesOf } from './standing';

/** Tokens of one request; each may name every partition. */
const MAXIMUM_TOKENS = 64;

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

  /** The copy to answer from: it covers every token of the request. */
  async copyFor(tokens: PositionTokens, call: CallContext): Promise<ReadCopy> {
    const position = positionOf(tokens);
    if (position !== undefined) return this.copyAt(position, new AnswerWait(this.clock, this.feed.lateness, call), call);
    const copy = await this.feed.copy();
    return copy.name === this.filled ? copy : this.filledIn(await this.feed.look());
  }

  /** The copy to answer from: it has the partition's commits up to the sequence, and covers every token of the request. */
  async copyUpTo(partition: number, sequence: number, tokens: PositionTokens, call: CallContext): Promise<ReadCopy> {
    const token = positionOf(tokens);
    const wait = new AnswerWait(this.clock, this.feed.lateness, call);
    const sequences = new Map(token?.sequences);
    sequences.set(partition, Math.max(sequence, sequences.get(partition) ?? 0));
    const incarnation = token?.incarnation ?? (await wait.within(this.feed.seen()))?.incarnation;
    if (incarnation === undefined) throw readBehind(undefined, sequences);
    return this.copyAt({ incarnation, sequences }, wait, call);
  }

  /** Waits before torn rows of the copy are read again; refuses when the caller's time is over, or another copy came in force. */
  pauseBetweenReads(copy: ReadCopy, call: CallContext): PauseBetweenReads {
    const wait = new AnswerWait(this.clock, this.feed.lateness, call);
    return async (reads, [key]) => {
      if (call.ended) throw refusal('CANCELLED');
      const pauseMs = FIRST_PAUSE_MS * 2 ** Math.min(reads - 1, MAXIMUM_DOUBLINGS);
      // A pause that would end with the caller's time leaves none to answer in.
      if (wait.leftMs <= pauseMs || (await this.feed.copy()).name !== copy.name) throw refusal('READ_BEHIND', `"${key}" is being written; ask again`);
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

  /** What was seen may be of the log before: the read store is asked once more. */
  private async assertOfOneLog({ incarnation }: Position, seen: string, wait: AnswerWait): Promise<void> {
    const newest = await wait.within(this.feed.look());
    if (newest === undefined || newest.incarnation === incarnation) return;
    throw refusal('TOKEN_OF_OTHER_LOG', `the position token is of log incarnation ${incarnation}, the read store of ${seen}`);
  }

  private async copyAt(position: Position, wait: AnswerWait, call: CallContext): Promise<ReadCopy> {
    let standing = await wait.within(this.feed.seen());
    for (;;) {
      if (standing === undefined) throw readBehind(undefined, position.sequences);
      if (standing.incarnation === position.incarnation) {
        const copy = this.filledIn(standing);
        const sequences = sequencesOf(standing, this.projection);
        if (coversPosition((partition) => sequences.get(partition), position)) return copy;
      } else if (standing.incarnation !== undefined) await this.assertOfOneLog(position, standing.incarnation, wait);
      if (call.ended) throw refusal('CANCELLED');
      const { leftMs } = wait;
      if (leftMs === 0) throw readBehind(sequencesOf(standing, this.projection), position.sequences);
      await this.feed.changed(leftMs, call.signal);
      // A look that takes longer than the call may wait leaves what was seen last.
      standing = (await wait.within(this.feed.look())) ?? standing;
    }
  }
}

/** What a read request says of how new its answer must be. */
export interface PositionTokens {
  readonly positionToken?: string;
  readonly positionTokens?: readonly string[];
}

/** Covers every token; undefined: there is none. Refuses one that is not ours, and tokens of two logs. */
function positionOf({ positionToken = '', positionTokens = [] }: PositionTokens): Position | undefined {
  if (positionTokens.length > MAXIMUM_TOKENS) throw invalidRequest('position_tokens', `are at most ${MAXIMUM_TOKENS}, not ${positionTokens.length}`);
  let covered: Position | undefined;
  for (const token of [positionToken, ...positionTokens]) {
    if (token === '') continue;
    try {
      const position = decodePositionToken(token);
      covered = covered === undefined ? position : mergePositions(covered, position);
    } catch (error) {
      if (error instanceof InvalidPositionTokenError || error instanceof PositionOfOtherLogError) throw refusal('TOKEN_INVALID', error.message);
      throw error;
    }
  }
  return covered;
}

/** One token that stands for all of the request's, for the reply; empty: it has none. */
export function mergedToken(tokens: PositionTokens): string {
  const position = positionOf(tokens);
  return position === undefined ? '' : encodePositionToken(position);
}

/**
 * Says what is waited for, and how far the read store is.
 * @param reached undefined: the read store has not said it in time.
 */
function readBehind(reached: ReadonlyMap<number, number> | undefined, wanted: ReadonlyMap<number, number>): SluiceError {
  const behind = [...wanted].find(([partition, sequence]) => (reached?.get(partition) ?? 0) < sequence);
  if (behind === undefined) return refusal('READ_BEHIND');
  const [partition, sequence] = behind;
  const asked = { partition: String(partition), sequence: String(sequence) };
  if (reached === undefined) {
    const message = `the read store has not said in time how far it is; the call asks for partition ${partition} up to sequence ${sequence}`;
    return refusal('READ_BEHIND', message, asked);
  }
  const readSequence = reached.get(partition) ?? 0;
  const message = `the read store has partition ${partition} up to sequence ${readSequence}; the call asks for ${sequence}, and its time is over`;
  return refusal('READ_BEHIND', message, { ...asked, read_sequence: String(readSequence) });
}
