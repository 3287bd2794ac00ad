/** Watches beside a feed that is driven by hand. */
import { ManualClock } from '@sluice/memory';
import type { ReadCopy } from '@sluice/ports';
import { readSingly, type Seen, SharedWatches } from './shared-watches';
import type { StandingFeed } from './standing';

const COPY = {} as ReadCopy;

class Watched {
  readonly clock = new ManualClock();
  readonly sequences = new Map<string, number>();
  readonly reads: string[] = [];
  private changed = (): void => undefined;
  private readonly feed = {
    copy: async () => COPY,
    changed: () =>
      new Promise<void>((resolve) => {
        this.changed = resolve;
      }),
  } as unknown as StandingFeed;
  readonly watches = new SharedWatches<string>(
    this.feed,
    this.clock,
    readSingly(
      async (_copy, key): Promise<Seen<string>> => {
        this.reads.push(key);
        const sequence = this.sequences.get(key) ?? 0;
        return { state: `${key} ${sequence}`, sequence };
      },
      async (_copy, keys) => keys.map((key) => this.sequences.get(key) ?? 0),
    ),
    (error) => {
      throw error;
    },
  );

  async look(): Promise<void> {
    await this.clock.elapse(50);
    this.changed();
    await this.clock.elapse(50);
  }
}

test('ten thousand watchers of one thing share its reading, each is told, and all end when the watches stop', async () => {
  const watched = new Watched();
  const told: string[] = [];
  const ended = Array.from({ length: 10_000 }, async () => {
    for await (const { state } of watched.watches.watch('a', 0, new AbortController().signal)) told.push(state);
  });
  watched.sequences.set('a', 7);
  while (told.length < 10_000) await watched.look();
  expect(new Set(told)).toEqual(new Set(['a 7']));
  expect(watched.reads).toEqual(['a']);
  let isStopped = false;
  const stopped = watched.watches.stop().then(() => {
    isStopped = true;
  });
  while (!isStopped) await watched.look();
  await Promise.all([stopped, ...ended]);
});

test('of many things that are watched only those are read that changed', async () => {
  const watched = new Watched();
  const callers = Array.from({ length: 100 }, () => new AbortController());
  const told: string[] = [];
  const ended = callers.map(async ({ signal }, at) => {
    for await (const { state } of watched.watches.watch(`key ${at}`, 0, signal)) told.push(state);
  });
  await watched.look();
  watched.sequences.set('key 3', 1);
  watched.sequences.set('key 70', 2);
  while (told.length < 2) await watched.look();
  expect(told).toEqual(['key 3 1', 'key 70 2']);
  expect(watched.reads).toEqual(['key 3', 'key 70']);
  for (const caller of callers) caller.abort();
  await Promise.all(ended);
  await watched.look();
});
