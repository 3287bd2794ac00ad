/** No request id is ever forgotten: whatever is sealed, written, merged, forgotten in memory, folded or restored. */
import * as fc from 'fast-check';
import type { SnapshotStore } from '@sluice/ports';
import { MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { Filter } from './filter';
import { hashSeeds, lastHash, requestHash } from './request-hash';
import { RequestIndex } from './request-index';
import { RunDirectory } from './run-directory';
import { RunStore, type RunDescription } from './run-store';
import { BLOCK_ENTRIES, findInBlock, sortEntries } from './run-builder';
import { ENTRY_NUMBERS, Segment, SEGMENT_IDS } from './segment';
import { runSorter } from './sorter';

const sorter = runSorter('thread');
afterAll(() => sorter.close());

const seeds = hashSeeds(Buffer.from('the secret of the tests'), Buffer.from('00112233445566778899aabbccddeeff', 'hex'));

function hashOf(id: string): [number, number] {
  const bytes = Buffer.from(id);
  requestHash(seeds, 7, bytes, 0, bytes.length);
  return [lastHash.first, lastHash.second];
}

function indexOf(store: SnapshotStore, filterBytes = 1 << 20, segmentIds = SEGMENT_IDS): RequestIndex {
  return new RequestIndex(new RunStore(store, 'partition/0', '00000001'), sorter, { filterBytes, segmentIds });
}

async function sequencesOf(index: RequestIndex, first: number, second: number): Promise<number[]> {
  const found = index.allRecent(first, second);
  if (index.mayBeOld(first, second)) found.push(...(await index.old(first, second)));
  return found;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'snapshotThatFails' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

test('every id that was added is found with its commit, every other is not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), fc.constantFrom(1 << 20, 200), async (steps, filterBytes) => {
      const blocks: MemoryBlocks = new Map();
      const store = new MemorySnapshotStore(blocks);
      const open = (): RequestIndex => indexOf(store, filterBytes);
      let index = open();
      /** What the log has: id by id, with its sequence. */
      const log: { id: string; sequence: number }[] = [];
      let manifest: { runs: RunDescription[]; sequence: number } = { runs: [], sequence: 0 };
      let sequence = 0;
      for (const { kind, ...rest } of steps) {
        if (kind === 'add') {
          sequence += 1;
          for (let at = 0; at < (rest as { count: number }).count; at += 1) {
            const id = `id ${log.length}`;
            log.push({ id, sequence });
            index.add(...hashOf(id), sequence);
          }
        } else if (kind === 'restart') {
          index = open();
          await index.restore(manifest.runs);
          for (const { id, sequence: at } of log) if (at > manifest.sequence) index.add(...hashOf(id), at);
        } else {
          index.seal();
          await index.removeUnused(manifest.runs, 1);
          const runs = await index.writeSealed(1);
          if (kind === 'snapshotThatFails') continue;
          manifest = { runs, sequence };
          index.forgetWritten(runs);
        }
      }
      for (const { id, sequence: at } of log) expect(await sequencesOf(index, ...hashOf(id))).toContain(at);
      let strangers = 0;
      for (let at = 0; at < 300; at += 1) if ((await sequencesOf(index, ...hashOf(`stranger ${at}`))).length > 0) strangers += 1;
      expect(strangers).toBe(0);
    }),
    { numRuns: 25 },
  );
});

test('eight runs become one, again and again, and what is left behind is removed with the next snapshot', async () => {
  const blocks: MemoryBlocks = new Map();
  const index = indexOf(new MemorySnapshotStore(blocks));
  let runs: RunDescription[] = [];
  for (let round = 1; round <= 65; round += 1) {
    index.add(...hashOf(`id ${round}`), round);
    index.seal();
    await index.removeUnused(runs, 1);
    runs = await index.writeSealed(1);
    index.forgetWritten(runs);
  }
  expect(runs.map(({ tier, count }) => [tier, count])).toEqual([
    [2, 64],
    [0, 1],
  ]);
  await index.removeUnused(runs, 1);
  const stored = runs.flatMap(({ name }) => [
    name.replace('/run-', '/marker-of-run-'),
    `${name}/block-00000000`,
    `${name}/directory-0000`,
    `${name}/filter-0000`,
  ]);
  expect([...blocks.keys()].sort()).toEqual(stored.sort());
});

/** Refuses what a store takes in no case, and says how much was read between two rounds of the event loop. */
class StrictStore extends MemorySnapshotStore {
  largestBytes = 0;
  mostReadsInRound = 0;
  private reads = 0;

  override async put(blocks: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<void> {
    this.largestBytes = Math.max(this.largestBytes, ...blocks.map(({ bytes }) => bytes.length));
    await super.put(blocks);
  }

  override async get(name: string): Promise<Uint8Array | undefined> {
    if (this.reads === 0) setImmediate(() => (this.reads = 0));
    this.reads += 1;
    this.mostReadsInRound = Math.max(this.mostReadsInRound, this.reads);
    return super.get(name);
  }
}

test('a billion ids stay within the memory of the filters, in blocks of 1 MiB, and with a small manifest', async () => {
  const blocks: MemoryBlocks = new Map();
  const store = new StrictStore(blocks);
  const filterBytes = 64 << 20;
  const first = indexOf(store, filterBytes);
  for (let run = 1; run <= 15; run += 1) {
    first.add(...hashOf(`id ${run}`), run);
    first.seal();
    first.forgetWritten(await first.writeSealed(1));
  }
  // Seven runs of one tier and a merged one, with counts as after a billion ids: what is sized by counts is sized for them.
  const made = (await first.writeSealed(1)).map((run) => ({ ...run, tier: 3, count: 125_000_000 }));
  expect(made.reduce((sum, { count }) => sum + count, 0)).toBe(1_000_000_000);
  const second = indexOf(store, filterBytes);
  await second.restore(made);
  const [merged, ...others] = await second.writeSealed(2);
  expect(others).toEqual([]);
  expect(merged).toMatchObject({ count: 1_000_000_000, tier: 4 });
  expect(merged?.filterBytes).toBeLessThanOrEqual(filterBytes);
  expect(store.largestBytes).toBeLessThanOrEqual(1 << 20);
  expect(JSON.stringify(merged).length).toBeLessThan(10_000);
  const third = indexOf(store, filterBytes);
  await third.restore([merged as RunDescription]);
  for (let run = 1; run <= 15; run += 1) expect(await sequencesOf(third, ...hashOf(`id ${run}`))).toEqual([run]);
  expect(third.mayBeOld(...hashOf('a stranger'))).toBe(false);
});

test('the directory of a billion ids is stored in pieces below 1 MiB', () => {
  const directory = new RunDirectory();
  const blocks = Math.ceil(1_000_000_000 / BLOCK_ENTRIES);
  for (let block = 0; block < blocks; block += 1) directory.add(block * 17_000, block);
  const pieces = directory.toPieces();
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1 << 20);
  const copy = RunDirectory.fromPieces(pieces);
  expect(copy.blocks).toBe(blocks);
  for (const block of [1, 70_000, blocks - 1]) {
    expect(copy.firstBlockFor(block * 17_000 + 1)).toBe(block);
    expect(copy.checksum(block)).toBe(block);
  }
});

test('ids that are spilled are found, and nothing is left of runs that were merged', async () => {
  const blocks: MemoryBlocks = new Map();
  const index = indexOf(new MemorySnapshotStore(blocks), 1 << 20, 10);
  for (let id = 0; id < 800; id += 1) {
    index.add(...hashOf(`id ${id}`), id + 1);
    if (index.full) await index.spill(1);
    expect(index.activeCount).toBeLessThanOrEqual(10);
  }
  for (let id = 0; id < 800; id += 1) expect(await sequencesOf(index, ...hashOf(`id ${id}`))).toEqual([id + 1]);
  const runs = await index.writeSealed(1);
  expect(runs.length).toBeLessThan(16);
  expect(new Set([...blocks.keys()].filter((name) => name.includes('/run-')).map((name) => name.slice(0, name.lastIndexOf('/'))))).toEqual(
    new Set(runs.map(({ name }) => name)),
  );
});

test('a merge of more entries than are held at a time keeps all of them', async () => {
  const store = new StrictStore();
  const index = indexOf(store, 64 << 20);
  const runs = 8;
  const perRun = 140_000;
  let added = 0;
  for (let run = 0; run < runs; run += 1) {
    for (let at = 0; at < perRun; at += 1) {
      const first = Math.imul(added, 0x9e3779b1);
      index.add(first, added, run + 1);
      added += 1;
    }
    index.seal();
    index.forgetWritten(await index.writeSealed(1));
  }
  const [merged] = await index.writeSealed(1);
  expect(merged).toMatchObject({ tier: 1, count: runs * perRun });
  // Calls are answered between two steps of a merge.
  expect(store.mostReadsInRound).toBeLessThanOrEqual(16);
  for (let id = 0; id < added; id += 9_973) expect(await sequencesOf(index, Math.imul(id, 0x9e3779b1), id)).toEqual([Math.floor(id / perRun) + 1]);
});

test('ids whose hashes begin alike are told apart, also where they fill several blocks', async () => {
  const index = indexOf(new MemorySnapshotStore());
  const count = BLOCK_ENTRIES * 2 + 100;
  for (let at = 0; at < count; at += 1) index.add(-5, at, at + 1);
  for (let at = 0; at < 100; at += 1) index.add(at, 1, 999_999);
  index.seal();
  index.forgetWritten(await index.writeSealed(1));
  for (const at of [0, 1, BLOCK_ENTRIES - 1, BLOCK_ENTRIES, BLOCK_ENTRIES * 2, count - 1]) expect(await index.old(-5, at)).toEqual([at + 1]);
  expect(await index.old(-5, count)).toEqual([]);
});

test('the same hash of different requests gives all their commits', async () => {
  const index = indexOf(new MemorySnapshotStore());
  index.add(1, 2, 10);
  index.add(1, 2, 11);
  expect(index.allRecent(1, 2)).toEqual([10, 11]);
  index.seal();
  index.add(1, 2, 12);
  const runs = await index.writeSealed(1);
  expect(index.allRecent(1, 2).sort()).toEqual([10, 11, 12]);
  index.forgetWritten(runs);
  expect(index.allRecent(1, 2)).toEqual([12]);
  expect((await index.old(1, 2)).sort()).toEqual([10, 11]);
});

test('damage says so: a block that was changed does not pass for one without the id', async () => {
  const blocks: MemoryBlocks = new Map();
  const store = new MemorySnapshotStore(blocks);
  const index = indexOf(store);
  index.add(1, 2, 10);
  index.seal();
  const runs = await index.writeSealed(1);
  const damage = (part: string): void => {
    const name = [...blocks.keys()].find((key) => key.includes(part)) as string;
    const bytes = new Uint8Array(blocks.get(name) as Uint8Array);
    bytes[0] = (bytes[0] as number) ^ 1;
    blocks.set(name, bytes);
  };
  damage('block-');
  await expect(index.old(1, 2)).rejects.toThrow(/damaged/);
  damage('filter');
  await expect(indexOf(store).restore(runs)).rejects.toThrow(/damaged/);
  blocks.clear();
  await expect(indexOf(store).restore(runs)).rejects.toThrow(/lacks block 0/);
});

describe('a segment', () => {
  test('finds what was added, with any sequence', () => {
    const entry = fc.record({
      first: fc.integer(),
      second: fc.integer(),
      sequence: fc.oneof(fc.constantFrom(1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 200 }), (entries) => {
        const segment = new Segment();
        for (const { first, second, sequence } of entries) segment.add(first, second, sequence);
        for (const { first, second, sequence } of entries) {
          const found: number[] = [];
          segment.findAll(first, second, found);
          expect(found).toContain(sequence);
          expect(segment.find(first, second)).toBe(found[0]);
        }
        expect(segment.entries().length).toBe(entries.length * ENTRY_NUMBERS);
      }),
    );
  });

  test('grows', () => {
    const segment = new Segment();
    for (let at = 1; at <= 50_000; at += 1) segment.add(Math.imul(at, 0x9e3779b1), at, at);
    for (let at = 1; at <= 50_000; at += 1) expect(segment.find(Math.imul(at, 0x9e3779b1), at)).toBe(at);
    expect(segment.find(1, 0)).toBe(0);
    expect(segment.lastSequence).toBe(50_000);
  });
});

describe('sorting', () => {
  test('orders by the first half, unsigned, and loses nothing', () => {
    const entries = fc.array(fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()), { maxLength: 300 });
    fc.assert(
      fc.property(entries, (given) => {
        const sorted = sortEntries(Int32Array.from(given.flat()));
        const rows = Array.from({ length: given.length }, (_, at) => [...sorted.subarray(at * ENTRY_NUMBERS, (at + 1) * ENTRY_NUMBERS)]);
        // The order of equal ones is that of before.
        expect(rows).toEqual([...given].sort((left, right) => (left[0] >>> 0) - (right[0] >>> 0)));
      }),
    );
  });

  test('a block finds every entry of a hash', () => {
    const sorted = sortEntries(Int32Array.from([-1, 5, 7, 0, 3, 5, 1, 0, -1, 5, 8, 1, -1, 6, 9, 0]));
    const found: number[] = [];
    findInBlock(sorted, -1, 5, found);
    expect(new Set(found)).toEqual(new Set([7, 2 ** 32 + 8]));
  });
});

describe('a filter', () => {
  const ids = Array.from({ length: 20_000 }, (_, at) => hashOf(`id ${at}`));

  test('has everything that was added, and little else', () => {
    const filter = Filter.forCount(ids.length);
    for (const id of ids) filter.add(...id);
    for (const id of ids) expect(filter.mayHave(...id)).toBe(true);
    let wrong = 0;
    for (let at = 0; at < 20_000; at += 1) if (filter.mayHave(...hashOf(`stranger ${at}`))) wrong += 1;
    expect(wrong).toBeLessThan(20);
  });

  test('has it after any folding, and as bytes', () => {
    const filter = Filter.fromBytes(Filter.forCount(1).toBytes());
    expect(filter.fold()).toBe(false);
    const large = Filter.forCount(ids.length);
    for (const id of ids) large.add(...id);
    while (large.fold()) {
      const copy = Filter.fromBytes(large.toBytes());
      for (let at = 0; at < ids.length; at += 97) expect(copy.mayHave(...(ids[at] as [number, number]))).toBe(true);
    }
    expect(large.sizeBytes).toBe(64);
  });
});
