/** Reading several rows of one aggregate that may be of two moments, because a store without transactions writes them one after the other. */

/** Rows of two moments were read, and did not come to fit in time: the projector is in the middle of writing them. */
export class TornReadError extends Error {
  constructor(readonly keys: readonly string[]) {
    super(`the rows of "${keys[0]}" are of two moments: the projector is writing them`);
    this.name = 'TornReadError';
  }
}

/**
 * Waits before what was torn is read again, `reads` times by now; rejects to give up. A projector that dies in the middle of a write
 * leaves the rows so until another one repeats the write, which may take as long as its lease.
 */
export type PauseBetweenReads = (reads: number, torn: readonly string[]) => Promise<void>;

/** Reads a reader without a clock makes at once. */
const IMMEDIATE_READS = 5;

export const readAgainAtOnce: PauseBetweenReads = async (reads, torn) => {
  if (reads >= IMMEDIATE_READS) throw new TornReadError(torn);
};
