/**
 * Watches of things in the read store by key. All calls that watch a thing share one reading of it; changes that come fast are drawn
 * together, and a slow caller gets the newest state, not the ones between. Reading goes to the copy in force each time.
 */
import type { Clock, ReadCopy } from '@sluice/ports';
import type { StandingFeed } from '../standing';

/** Between two looks at what is watched. */
const LOOK_MS = 50;

export interface Seen<State> {
  readonly state: State;
  /** Sequence of the newest commit in it. */
  readonly sequence: number;
}

interface Watched<State> {
  sequence: number;
  readonly watchers: Set<(seen: Seen<State>) => void>;
}

export class SharedWatches<State> {
  private readonly watched = new Map<string, Watched<State>>();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly feed: StandingFeed,
    private readonly clock: Clock,
    private readonly read: (copy: ReadCopy, key: string) => Promise<Seen<State> | undefined>,
    private readonly trouble: (error: unknown) => void,
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
    this.stopping.signal.addEventListener('abort', wakeUp);
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
      this.stopping.signal.removeEventListener('abort', wakeUp);
      remove();
    }
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    this.stopping.abort();
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
        const copy = await this.feed.copy();
        for (const [key, watched] of [...this.watched]) {
          const seen = await this.read(copy, key);
          if (seen === undefined || seen.sequence === watched.sequence) continue;
          watched.sequence = seen.sequence;
          for (const watcher of watched.watchers) watcher(seen);
        }
      } catch (error) {
        this.trouble(error);
      }
      await new Promise<void>((resolve) => this.clock.after(LOOK_MS, resolve));
      if (!signal.aborted && this.watched.size > 0) await this.feed.changed(Number.POSITIVE_INFINITY, signal);
    }
  }
}
