/** Follows one contest by its watch. */
import { SluiceError, type Contest, type ContestsClient } from '@sluice/client';

/** A contest that does not change for so long will not change any more. */
const STALL_MS = 120_000;
const AGAIN_MS = 100;

export class ContestPhases {
  private readonly ending = new AbortController();
  private watched: AsyncGenerator<Contest, void, undefined> | undefined;
  private newest: Contest | undefined;

  constructor(
    private readonly contests: Pick<ContestsClient, 'watch'>,
    private readonly contestId: string,
  ) {}

  /** Resolves with the contest when it is as it should be; undefined: it does not come to that. */
  async until(is: (contest: Contest) => boolean): Promise<Contest | undefined> {
    const stall = setTimeout(() => this.ending.abort(), STALL_MS);
    try {
      for (;;) {
        if (this.newest !== undefined && is(this.newest)) return this.newest;
        const next = await this.next();
        if (next === undefined) return undefined;
        this.newest = next;
      }
    } finally {
      clearTimeout(stall);
    }
  }

  /** For people: where the contest stood when it was seen last. */
  get last(): string {
    return this.newest === undefined ? 'it was never seen' : `it is ${this.newest.phase} in round ${this.newest.round}`;
  }

  async end(): Promise<void> {
    this.ending.abort();
    await this.watched?.return();
  }

  /** Undefined: the contest is over, or was waited for too long. A watch that the server cut is opened again. */
  private async next(): Promise<Contest | undefined> {
    for (;;) {
      this.watched ??= this.contests.watch(this.contestId, { signal: this.ending.signal });
      try {
        const { value } = await this.watched.next();
        return value ?? undefined;
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'UNAVAILABLE' || this.ending.signal.aborted) throw error;
        this.watched = undefined;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}
