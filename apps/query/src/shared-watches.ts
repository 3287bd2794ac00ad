/**
 * Watches of things in the read store by key. All calls that watch a thing share one reading of it; changes that come fast are drawn
 * together, and a slow caller gets the newest state, not the ones between. Reading goes to the copy in force each time, so a watch
 * survives its switch.
 */
import type { Clock, ReadCopy } from '@sluice/ports';
import { nextRound } from '@sluice/service';
import type { StandingFeed } from './standing';

/** Between two looks at what is watched, where nothing else is said. */
const LOOK_MS = 50;
/** Things that are read in one call. */
const KEYS_PER_READ = 1_000;
/** Things that are read one by one in one round of the event loop. */
const SINGLE_READS_PER_ROUND = 32;
/** Watchers that are told in one round of the event loop. */
const TOLD_PER_ROUND = 256;

export interface Seen<State> {
  readonly state: State;
  /** Sequence of the newest commit in it. */
  readonly sequence: number;
}

/**
 * Reads what has changed. What is left out of the answer keeps its old sequence: the next look reads it again.
 * @param known keys to the sequences of the states that were handed out last.
 */
export type ReadChanged<State> = (copy: ReadCopy, known: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, Seen<State>>>;

/**
 * For things that are read one by one.
 *
 * @param sequencesOf the sequences that the things have now, in the order of the keys; without it each is read at every look.
 */
export function readSingly<State>(
  read: (copy: ReadCopy, key: string) => Promise<Seen<State> | undefined>,
  sequencesOf?: (copy: ReadCopy, keys: readonly string[]) => Promise<readonly number[]>,
): ReadChanged<State> {
  return async (copy, known) => {
    const keys = [...known.keys()];
    const sequences = await sequencesOf?.(copy, keys);
    const changed = sequences === undefined ? keys : keys.filter((key, at) => sequences[at] !== known.get(key));
    const found = new Map<string, Seen<State>>();
    for (const [at, key] of changed.entries()) {
      if (at % SINGLE_READS_PER_ROUND === SINGLE_READS_PER_ROUND - 1) await nextRound();
      const seen = await read(copy, key);
      if (seen !== undefined) found.set(key, seen);
    }
    return found;
  };
}

interface Watched<State> {
  /** Sequence of the newest state that was handed out. */
  sequence: number;
  readonly watchers: Set<(seen: Seen<State>) => void>;
}

export class SharedWatches<State> {
  private readonly watched = new Map<string, Watched<State>>();
  /** Wakes each watch. A signal would look through all its listeners for each one that comes. */
  private readonly wakers = new Set<() => void>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly feed: StandingFeed,
    private readonly clock: Clock,
    private readonly readChanged: ReadChanged<State>,
    private readonly trouble: (error: unknown) => void,
    private readonly lookMs = LOOK_MS,
  ) {}

  /** The states after `from`, the newest ones, until the signal aborts. */
  async *watch(key: string, from: number, signal: AbortSignal): AsyncGenerator<Seen<State>> {
    let newest: Seen<State> | undefined;
    let wake = (): void => undefined;
    const wakeUp = (): void => wake();
    const remove = this.add(key, from, (seen) => {
      newest = seen;
      wake();
    });
    signal.addEventListener('abort', wakeUp);
    this.wakers.add(wakeUp);
    let sent = from;
    try {
      while (!signal.aborted && !this.stopping.signal.aborted) {
        const seen = newest;
        newest = undefined;
        if (seen !== undefined && seen.sequence !== sent) {
          sent = seen.sequence;
          yield seen;
        } else if (newest === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', wakeUp);
      this.wakers.delete(wakeUp);
      remove();
    }
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const wake of this.wakers) wake();
    await this.running;
  }

  private add(key: string, from: number, watcher: (seen: Seen<State>) => void): () => void {
    let watched = this.watched.get(key);
    if (watched === undefined) {
      watched = { sequence: from, watchers: new Set() };
      this.watched.set(key, watched);
    }
    // A caller that comes with an older state than was handed out last must get that one too.
    watched.sequence = Math.min(watched.sequence, from);
    watched.watchers.add(watcher);
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return () => {
      watched.watchers.delete(watcher);
      if (watched.watchers.size === 0 && this.watched.get(key) === watched) this.watched.delete(key);
    };
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (this.watched.size > 0 && !signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        this.trouble(error);
      }
      await new Promise<void>((resolve) => this.clock.after(this.lookMs, resolve));
      if (!signal.aborted && this.watched.size > 0) await this.feed.changed(Number.POSITIVE_INFINITY, signal);
    }
  }
  private async look(): Promise<void> {
    const copy = await this.feed.copy();
    const keys = [...this.watched.keys()];
    for (let at = 0; at < keys.length; at += KEYS_PER_READ) await this.lookAt(copy, keys.slice(at, at + KEYS_PER_READ));
  }

  private async lookAt(copy: ReadCopy, keys: readonly string[]): Promise<void> {
    const known = new Map(
      keys.flatMap((key) => {
        const watched = this.watched.get(key);
        return watched === undefined ? [] : [[key, watched.sequence] as const];
      }),
    );
    for (const [key, seen] of await this.readChanged(copy, known)) {
      const watched = this.watched.get(key);
      if (watched === undefined || seen.sequence === watched.sequence) continue;
      watched.sequence = seen.sequence;
      let told = 0;
      for (const watcher of [...watched.watchers]) {
        if (watched.watchers.has(watcher)) watcher(seen);
        told += 1;
        if (told % TOLD_PER_ROUND === 0) await nextRound();
      }
    }
  }
}
