/**
 * Totals of contests that are changed in the read store on the way, so that a reconciliation has something to find. One round of each contest is
 * spoilt: the first contest's first, the second one's second, and so on in turn.
 */

/** Points of the sides, in the order of the creation. */
export interface ShownTotals {
  readonly roundPoints: readonly number[];
  readonly totals: readonly number[];
}

/** Changes what the read store shows of a contest; resolves with what it shows from then on. */
export type SpoilTotals = (contestId: string) => Promise<ShownTotals>;

export interface SpoiltRound {
  readonly round: number;
  readonly shown: ShownTotals;
}

export class SpoiltTotals {
  private readonly byContest = new Map<string, SpoiltRound>();
  private repairedCount = 0;

  constructor(private readonly spoil: SpoilTotals) {}

  get spoilt(): number {
    return this.byContest.size;
  }

  get repaired(): number {
    return this.repairedCount;
  }

  /** The read store must have every commit of the contest, and no other may come before this resolves. */
  async spoilRound(contestId: string, round: number): Promise<void> {
    this.byContest.set(contestId, { round, shown: await this.spoil(contestId) });
  }

  /** Undefined: no round of the contest was spoilt in this run. */
  of(contestId: string): SpoiltRound | undefined {
    return this.byContest.get(contestId);
  }

  countRepaired(): void {
    this.repairedCount += 1;
  }
}

/** Which round of the contest is to be spoilt: 1, 2, 3 … */
export function roundToSpoil(contestNumber: number, rounds: number): number {
  return (contestNumber % rounds) + 1;
}
