/**
 * Where the verdict of a request id is, for ever: hash of (account, request id) → sequence of its commit.
 *
 *   active segment ──seal──▶ sealed segments ──sorted, durable──▶ runs (blocks on disk, filter in memory) ──merged──▶ fewer, longer runs
 *
 * An id leaves memory only when a run that holds it is durable. New ids (nearly all) cost one look into the tables and one cache
 * line per filter; only what a filter cannot rule out is looked up on disk, before its turn. Runs are merged eight at a time, so their
 * number grows with the logarithm of the log; filters are folded to stay within their memory. A hit is a hint: the
 * commit itself decides whether it is the same request.
 */
import { crc32 } from 'node:zlib';
import type { SnapshotStore } from '@sluice/ports';
import { Filter } from './filter';
import { BLOCK_ENTRIES, findInBlock } from './run-builder';
import { numbered } from './numbered-name';
import { ENTRY_NUMBERS, Segment } from './segment';
import type { RunSorter } from './sorter';

const RUNS_PER_MERGE = 8;
/** Entries that a merge holds in memory at a time: 16 MiB. */
const MERGE_SLICE_ENTRIES = 1 << 20;
const BLOCKS_PER_PUT = 64;

/** What the manifest of a partition says about a run. */
export interface RunDescription {
  /** Prefix of its blocks. */
  readonly name: string;
  readonly count: number;
  /** 0: sealed; + 1 with every merge. */
  readonly tier: number;
  readonly lastSequence: number;
  /** First hash of every block, unsigned. */
  readonly blockStarts: readonly number[];
  /** CRC-32 of every block: a damaged one must not pass for one that does not have an id. */
  readonly blockChecksums: readonly number[];
  readonly filterChecksum: number;
}

/** Blocks of a run that is being written. */
class BlockList {
  readonly starts: number[] = [];
  readonly checksums: number[] = [];
}

interface Run {
  readonly description: RunDescription;
  readonly filter: Filter;
}

export class RequestIndex {
  private active = new Segment();
  private sealed: { readonly segment: Segment; written: boolean }[] = [];
  private runs: Run[] = [];

  constructor(
    private readonly prefix: string,
    private readonly store: SnapshotStore,
    private readonly sorter: RunSorter,
    private readonly filterBytes: number,
  ) {}

  get activeCount(): number {
    return this.active.count;
  }

  get full(): boolean {
    return this.active.full;
  }

  add(first: number, second: number, sequence: number): void {
    this.active.add(first, second, sequence);
  }

  /** Sequence of a commit that very likely holds the request, from memory; 0: memory does not have it. */
  recent(first: number, second: number): number {
    const found = this.active.find(first, second);
    if (found !== 0) return found;
    for (const { segment } of this.sealed) {
      const sequence = segment.find(first, second);
      if (sequence !== 0) return sequence;
    }
    return 0;
  }

  /** All sequences that memory has for the hash. */
  allRecent(first: number, second: number): number[] {
    const found: number[] = [];
    this.active.findAll(first, second, found);
    for (const { segment } of this.sealed) segment.findAll(first, second, found);
    return found;
  }

  /** Whether the disk may have the request: ask `old` before deciding. */
  mayBeOld(first: number, second: number): boolean {
    for (const run of this.runs) if (run.filter.mayHave(first, second)) return true;
    return false;
  }

  /** Sequences that the runs have for the hash. */
  async old(first: number, second: number): Promise<number[]> {
    const found: number[] = [];
    const hash = first >>> 0;
    for (const { description, filter } of this.runs) {
      if (!filter.mayHave(first, second)) continue;
      const { blockStarts } = description;
      let low = 0;
      let high = blockStarts.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((blockStarts[middle] as number) < hash) low = middle + 1;
        else high = middle;
      }
      // Equal hashes may begin at the end of the block before.
      for (let block = Math.max(0, low - 1); block < blockStarts.length && (blockStarts[block] as number) <= hash; block += 1) {
        findInBlock(await this.block(description, block), first, second, found);
      }
    }
    return found;
  }

  /** Closes the active segment; it stays findable until it is forgotten. */
  seal(): void {
    if (this.active.count === 0) return;
    this.sealed.push({ segment: this.active, written: false });
    this.active = new Segment();
  }

  /** Writes every sealed segment as a run; merges runs where there are enough. Resolves with all runs as the manifest should have them. */
  async writeSealed(epoch: number): Promise<RunDescription[]> {
    for (const sealed of this.sealed) {
      if (sealed.written) continue;
      await this.write(sealed.segment, epoch);
      sealed.written = true;
    }
    for (let runs = this.mergeable(); runs !== undefined; runs = this.mergeable()) await this.merge(runs, epoch);
    this.boundFilters();
    return this.runs.map((run) => run.description);
  }

  private async write(segment: Segment, epoch: number): Promise<void> {
    const name = runName(this.prefix, epoch, segment.lastSequence, 0);
    const blocks = new BlockList();
    await this.sorter.begin(name, segment.count);
    await this.putBlocks(name, await this.sorter.sort(name, segment.entries()), blocks);
    this.runs.push(await this.finishRun({ name, count: segment.count, tier: 0, lastSequence: segment.lastSequence }, blocks));
  }

  /** A manifest that names these runs is durable, and every request looked up before they stood is decided: their segments may go. */
  forgetWritten(runs: readonly RunDescription[]): void {
    const durable = Math.max(0, ...runs.map((run) => run.lastSequence));
    this.sealed = this.sealed.filter(({ segment, written }) => !written || segment.lastSequence > durable);
  }

  /** Runs of a manifest, at the start of a partition. */
  async restore(descriptions: readonly RunDescription[]): Promise<void> {
    const stored = new Set(await this.store.list(`${this.prefix}/run-`));
    for (const description of descriptions) {
      const { name, blockStarts, filterChecksum } = description;
      for (let block = 0; block < blockStarts.length; block += 1) {
        if (!stored.has(blockName(name, block))) throw new Error(`the request-id index lacks block ${block} of ${name}`);
      }
      const bytes = await this.store.get(`${name}/filter`);
      if (bytes === undefined || crc32(bytes) !== filterChecksum) throw new Error(`the request-id index lacks ${name}/filter, or it is damaged`);
      this.runs.push({ description, filter: Filter.fromBytes(bytes) });
    }
    this.boundFilters();
  }

  /** Throws if the store lacks one of the runs: an owner has merged and removed it since it was restored. */
  async assertStored(): Promise<void> {
    const missing = await Promise.all(
      this.runs.map(async ({ description: { name } }) => ((await this.store.list(`${name}/filter`)).length === 0 ? [name] : [])),
    );
    if (missing.flat().length > 0) throw new Error(`the request-id index lacks ${missing.flat().join(', ')}`);
  }

  /** Removes the blocks of runs that neither a manifest nor memory has: left by merges, and by snapshots that failed. Not those of newer owners. @param mayRemove asked before each run. */
  async removeUnused(named: readonly RunDescription[], epoch: number, mayRemove = (): boolean => true): Promise<void> {
    const keep = new Set([...named, ...this.runs.map((run) => run.description)].map((run) => run.name));
    const newer = runName(this.prefix, epoch + 1, 0, 0);
    const stored = new Set((await this.store.list(`${this.prefix}/run-`)).map((block) => block.slice(0, block.lastIndexOf('/'))));
    for (const name of stored) if (!keep.has(name) && name < newer && mayRemove()) await this.store.remove(`${name}/`);
  }

  private mergeable(): Run[] | undefined {
    const byTier = new Map<number, Run[]>();
    for (const run of this.runs) {
      const { tier } = run.description;
      const tierRuns = byTier.get(tier) ?? [];
      tierRuns.push(run);
      byTier.set(tier, tierRuns);
      if (tierRuns.length === RUNS_PER_MERGE) return tierRuns;
    }
    return undefined;
  }

  /** Merges by slices of the hash space, so that memory is bounded whatever the runs' length. */
  private async merge(runs: readonly Run[], epoch: number): Promise<void> {
    const count = runs.reduce((sum, run) => sum + run.description.count, 0);
    const lastSequence = Math.max(...runs.map((run) => run.description.lastSequence));
    const tier = (runs[0] as Run).description.tier + 1;
    const name = runName(this.prefix, epoch, lastSequence, tier);
    const slices = Math.max(1, Math.ceil(count / MERGE_SLICE_ENTRIES));
    const width = Math.ceil(0x1_0000_0000 / slices);
    const blocks = new BlockList();
    await this.sorter.begin(name, count);
    for (let slice = 0; slice < slices; slice += 1) {
      const entries = await this.slice(runs, slice * width, (slice + 1) * width);
      if (entries.length === 0) continue;
      await this.putBlocks(name, await this.sorter.sort(name, entries), blocks);
    }
    const merged = await this.finishRun({ name, count, tier, lastSequence }, blocks);
    this.runs = [...this.runs.filter((run) => !runs.includes(run)), merged];
  }

  /** Entries of the runs with from <= hash < to. */
  private async slice(runs: readonly Run[], from: number, to: number): Promise<Int32Array> {
    const parts: Int32Array[] = [];
    for (const { description } of runs) {
      const { blockStarts } = description;
      for (let block = 0; block < blockStarts.length; block += 1) {
        const next = blockStarts[block + 1] ?? 0x1_0000_0000;
        if ((blockStarts[block] as number) >= to || next < from) continue;
        const entries = await this.block(description, block);
        let start = 0;
        while (start < entries.length && (entries[start] as number) >>> 0 < from) start += ENTRY_NUMBERS;
        let end = entries.length;
        while (end > start && (entries[end - ENTRY_NUMBERS] as number) >>> 0 >= to) end -= ENTRY_NUMBERS;
        if (end > start) parts.push(entries.subarray(start, end));
      }
    }
    const joined = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  private async putBlocks(name: string, sorted: Int32Array, list: BlockList): Promise<void> {
    const step = BLOCK_ENTRIES * ENTRY_NUMBERS;
    for (let at = 0; at < sorted.length; ) {
      const blocks: { name: string; bytes: Uint8Array }[] = [];
      for (; at < sorted.length && blocks.length < BLOCKS_PER_PUT; at += step) {
        const block = sorted.slice(at, Math.min(at + step, sorted.length));
        const bytes = new Uint8Array(block.buffer);
        blocks.push({ name: blockName(name, list.starts.length), bytes });
        list.starts.push((block[0] as number) >>> 0);
        list.checksums.push(crc32(bytes));
      }
      await this.store.put(blocks);
    }
  }

  private async finishRun(run: Pick<RunDescription, 'name' | 'count' | 'tier' | 'lastSequence'>, { starts, checksums }: BlockList): Promise<Run> {
    const bytes = await this.sorter.finish(run.name);
    await this.store.put([{ name: `${run.name}/filter`, bytes }]);
    return { description: { ...run, blockStarts: starts, blockChecksums: checksums, filterChecksum: crc32(bytes) }, filter: Filter.fromBytes(bytes) };
  }

  private async block(description: RunDescription, index: number): Promise<Int32Array> {
    const bytes = await this.store.get(blockName(description.name, index));
    if (bytes === undefined || crc32(bytes) !== description.blockChecksums[index]) {
      throw new Error(`the request-id index lacks block ${index} of ${description.name}, or it is damaged; remove the snapshots to build it from the log`);
    }
    const copy = new Int32Array(bytes.length / 4);
    new Uint8Array(copy.buffer).set(bytes);
    return copy;
  }

  private boundFilters(): void {
    let total = this.runs.reduce((sum, run) => sum + run.filter.sizeBytes, 0);
    while (total > this.filterBytes) {
      const largest = this.runs.reduce((left, right) => (right.filter.sizeBytes > left.filter.sizeBytes ? right : left));
      const before = largest.filter.sizeBytes;
      if (!largest.filter.fold()) return;
      total -= before - largest.filter.sizeBytes;
    }
  }
}

function runName(prefix: string, epoch: number, lastSequence: number, tier: number): string {
  return `${prefix}/run-${numbered(epoch)}-${numbered(lastSequence)}-${tier}`;
}

function blockName(run: string, index: number): string {
  return `${run}/block-${String(index).padStart(8, '0')}`;
}
