/**
 * What the read store has of a contest. The owner waits until it has the end of the round, for as long as the rules say, and takes what is there
 * then. A read store that is away, empty or of another log stops no round: the answer says why it was not asked.
 */
import type { ReadComparison } from '@sluice/domain/contest';
import type { Clock, ReadCopy, ReadStore } from '@sluice/ports';
import { projectionId } from '@sluice/projections';
import { CONTEST_PROJECTION, CONTESTS, sidePointsOf } from '@sluice/projections/contest';

/** How long the read store may take beyond the wait for the projection. */
const ANSWER_MS = 1_000;
/** Between two looks at how far the projection is. */
const LOOK_MS = 20;
/** The reason stands in an event. */
const MAXIMUM_REASON_CHARACTERS = 120;

export interface AskedTotals {
  readonly contestId: string;
  readonly sideCount: number;
  readonly partition: number;
  /** The read store should have the partition up to here. */
  readonly sequence: number;
  /** Of the log, hex. */
  readonly incarnation: string;
  /** How long to wait for the projection; 0: not at all. */
  readonly waitMs: number;
}

export class ReadTotalsOfContests {
  private readonly projection = projectionId(CONTEST_PROJECTION);

  /** @param store undefined: none is configured; returns undefined while it was not reached yet. */
  constructor(
    private readonly store: (() => ReadStore | undefined) | undefined,
    private readonly clock: Clock,
  ) {}

  /** Answers within the wait and ANSWER_MS. */
  async of(asked: AskedTotals): Promise<ReadComparison> {
    const { clock } = this;
    const store = this.store?.();
    if (store === undefined) return notCompared(this.store === undefined ? 'no read store is configured' : 'the read store was not reached yet');
    let cancel = (): void => undefined;
    const ended = new AbortController();
    const late = new Promise<ReadComparison>((resolve) => {
      cancel = clock.after(asked.waitMs + ANSWER_MS, () => resolve(notCompared(`the read store did not answer within ${ANSWER_MS} ms`)));
    });
    try {
      return await Promise.race([this.read(store, asked, ended.signal), late]);
    } catch (error) {
      return notCompared(`the read store cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      cancel();
      ended.abort();
    }
  }

  private async read(store: ReadStore, asked: AskedTotals, signal: AbortSignal): Promise<ReadComparison> {
    const { contestId, sideCount, sequence, incarnation, waitMs } = asked;
    const untilMs = this.clock.monotonicMs() + waitMs;
    for (;;) {
      const of = await store.incarnation();
      if (of === undefined) return notCompared('the read store is empty');
      if (of !== incarnation) return notCompared('the read store was made from another log');
      const copy = await store.current();
      // First the checkpoint: the row is at least as new.
      const reached = await this.reached(copy, asked.partition);
      if (reached >= sequence || this.clock.monotonicMs() >= untilMs || signal.aborted) {
        const row = await copy.get(CONTESTS.name, contestId);
        const zeros = new Array<number>(sideCount).fill(0);
        const { sidePoints, sideTotals } = row === undefined ? { sidePoints: zeros, sideTotals: zeros } : sidePointsOf(row);
        if (!arePoints(sidePoints, sideCount) || !arePoints(sideTotals, sideCount)) return notCompared('the read store has no points of the sides');
        return { read: { sidePoints, sideTotals, sequence: reached }, notCompared: '' };
      }
      await new Promise<void>((resolve) => this.clock.after(LOOK_MS, resolve));
    }
  }

  private async reached(copy: ReadCopy, partition: number): Promise<number> {
    const checkpoints = await copy.checkpoints();
    return checkpoints.find((checkpoint) => checkpoint.partition === partition && checkpoint.projection === this.projection)?.sequence ?? 0;
  }
}

/** A row that was spoilt may hold anything. */
function arePoints(points: readonly number[], sideCount: number): boolean {
  return points.length === sideCount && points.every(Number.isSafeInteger);
}

function notCompared(why: string): ReadComparison {
  return { read: undefined, notCompared: why.slice(0, MAXIMUM_REASON_CHARACTERS) };
}
