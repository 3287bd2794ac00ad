/**
 * Looks for recorded requests in the commits of one partition: what repeats are answered from. After an outage callers send thousands of repeats at
 * once, so requests that wait for the same commit are looked for together, in one pass over it. One commit is searched at a time, and the
 * event loop runs between two steps: repeats in bulk delay other calls by one step at most.
 */
import type { DecodedCommit } from '@sluice/protocol';
import { WorkSteps } from '../partition/work-steps';

/** Requests that get their verdicts before the event loop runs: each compares two bodies. */
const VERDICTS_PER_ROUND = 256;

/** Where the events of a capability record requests. One object per capability: requests are looked for together by it. */
export interface RecordedRequests<Verdict> {
  /**
   * Looks for the wanted requests in the commit, in steps, and yields how many bytes of the commit each step was. Decodes nothing else than what
   * it has to. Throws UnknownEventError for an event that it cannot read.
   */
  search(commit: DecodedCommit, wanted: WantedRequests<Verdict>): Iterable<number>;
}

interface Waiter<Verdict> {
  resolve(verdict: Verdict | undefined): void;
  reject(error: unknown): void;
}

interface WantedRequest<Verdict> {
  verdict: Verdict | undefined;
  readonly waiters: Waiter<Verdict>[];
}

/** The requests that are looked for in one commit, by aggregate and request id. */
export class WantedRequests<Verdict> {
  private readonly aggregates = new Map<string, Map<string, WantedRequest<Verdict>>>();

  want(aggregateKey: string, requestId: string, waiter: Waiter<Verdict>): void {
    let requests = this.aggregates.get(aggregateKey);
    if (requests === undefined) {
      requests = new Map();
      this.aggregates.set(aggregateKey, requests);
    }
    const known = requests.get(requestId);
    if (known === undefined) requests.set(requestId, { verdict: undefined, waiters: [waiter] });
    else known.waiters.push(waiter);
  }

  /** Ids that are wanted of the aggregate; undefined: none. */
  idsOf(aggregateKey: string): Pick<ReadonlyMap<string, unknown>, 'has' | 'keys' | 'size'> | undefined {
    return this.aggregates.get(aggregateKey);
  }

  /** The commit holds the request; nothing happens if it is not wanted. */
  found(aggregateKey: string, requestId: string, verdict: Verdict): void {
    const wanted = this.aggregates.get(aggregateKey)?.get(requestId);
    if (wanted !== undefined) wanted.verdict = verdict;
  }

  /** Gives every waiter what was found, in steps. */
  *settle(): Generator<void> {
    let settled = 0;
    for (const { verdict, waiter } of this.all()) {
      waiter.resolve(verdict);
      settled += 1;
      if (settled % VERDICTS_PER_ROUND === 0) yield;
    }
  }

  fail(error: unknown): void {
    for (const { waiter } of this.all()) waiter.reject(error);
  }

  private *all(): Generator<{ readonly verdict: Verdict | undefined; readonly waiter: Waiter<Verdict> }> {
    for (const requests of this.aggregates.values()) {
      for (const { verdict, waiters } of requests.values()) for (const waiter of waiters) yield { verdict, waiter };
    }
  }
}

type WantedOfCommit = Map<RecordedRequests<unknown>, WantedRequests<unknown>>;

export class CommitSearch {
  /** What waits, by sequence, in the order in which it came. */
  private readonly waiting = new Map<number, WantedOfCommit>();
  private running = false;

  /** @param recall resolves with a durable commit; rejects with TurnLostError when its turn is lost. */
  constructor(private readonly recall: (sequence: number) => Promise<DecodedCommit>) {}

  /** The verdict on the request in the commit; undefined: the commit does not hold it. Rejects if the commit cannot be had or read. */
  find<Verdict>(recorded: RecordedRequests<Verdict>, sequence: number, aggregateKey: string, requestId: string): Promise<Verdict | undefined> {
    return new Promise((resolve, reject) => {
      this.wantedIn(sequence, recorded).want(aggregateKey, requestId, { resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private wantedIn<Verdict>(sequence: number, recorded: RecordedRequests<Verdict>): WantedRequests<Verdict> {
    let ofCommit = this.waiting.get(sequence);
    if (ofCommit === undefined) {
      ofCommit = new Map();
      this.waiting.set(sequence, ofCommit);
    }
    let wanted = ofCommit.get(recorded) as WantedRequests<Verdict> | undefined;
    if (wanted === undefined) {
      wanted = new WantedRequests();
      ofCommit.set(recorded, wanted);
    }
    return wanted;
  }

  private async run(): Promise<void> {
    this.running = true;
    // What comes in the same round of the event loop is looked for together.
    await nextRound();
    for (let next = this.takeFirst(); next !== undefined; next = this.takeFirst()) {
      await this.searchCommit(...next);
      await nextRound();
    }
    this.running = false;
  }

  private takeFirst(): [number, WantedOfCommit] | undefined {
    for (const first of this.waiting) {
      this.waiting.delete(first[0]);
      return first;
    }
    return undefined;
  }

  private async searchCommit(sequence: number, wantedOfCommit: WantedOfCommit): Promise<void> {
    const steps = new WorkSteps();
    for (const [recorded, wanted] of wantedOfCommit) {
      try {
        const commit = await this.recall(sequence);
        for (const bytes of recorded.search(commit, wanted)) await steps.done(bytes);
        for (const _ of wanted.settle()) await nextRound();
      } catch (error) {
        wanted.fail(error);
      }
    }
  }
}

/** Resolves in the next round of the event loop. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
