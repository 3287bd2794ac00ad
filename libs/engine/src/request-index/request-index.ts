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
import { Filter, foldedSizes } from './filter';
import { findInBlock } from './run-builder';
import { RunDirectory } from './run-directory';
import type { Run, RunBeginning, RunDescription, RunStore } from './run-store';
import { ENTRY_NUMBERS, Segment } from './segment';
import type { RunSorter } from './sorter';

const RUNS_PER_MERGE = 8;
/** Entries that a merge holds in memory at a time: 4 MiB. */
const MERGE_SLICE_ENTRIES = 1 << 18;
/** Values of the first half of a hash. */
const HASHES = 0x1_0000_0000;

export interface RequestIndexLimits {
  /** Memory of all filters. */
  readonly filterBytes: number;
  /** Ids of a segment after which it should be sealed. */
  readonly segmentIds: number;
}

export class RequestIndex {
  private active = new Segment();
  private sealed: { readonly segment: Segment; written: boolean }[] = [];
  private runs: Run[] = [];
  /** Names of the runs that this index has stored, and that a spill has not removed again. */
  private readonly made = new Set<string>();

  constructor(
    private readonly store: RunStore,
    private readonly sorter: RunSorter,
    private readonly limits: RequestIndexLimits,
  ) {}

  get activeCount(): number {
    return this.active.count;
  }

  /** The active segment should be sealed. */
  get full(): boolean {
    return this.active.count >= this.limits.segmentIds;
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
    for (const run of this.runs) {
      if (!run.filter.mayHave(first, second)) continue;
      const { directory } = run;
      for (let block = directory.firstBlockFor(hash); directory.startsBelow(block, hash + 1); block += 1) {
        findInBlock(await this.store.block(run, block), first, second, found);
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

  /**
   * Writes the active segment as a run and forgets it: while the log is replayed, where nothing was looked up before. No manifest names the
   * run yet; runs of this kind that a merge has replaced are removed at once.
   */
  async spill(epoch: number): Promise<void> {
    this.seal();
    const runs = await this.writeSealed(epoch);
    this.forgetWritten(runs);
    for (const name of this.made) {
      if (runs.some((run) => run.name === name)) continue;
      this.made.delete(name);
      await this.store.remove(name);
    }
  }

  private async write(segment: Segment, epoch: number): Promise<void> {
    const { count, lastSequence } = segment;
    const beginning = { name: this.store.nameOf(epoch, lastSequence, 0), count, tier: 0, lastSequence };
    const run = await this.build(beginning, this.runs, async function* () {
      yield segment.entries();
    });
    this.runs.push(run);
  }

  /** Stores a run of these entries, which come in slices of rising hashes. @param kept the runs that stay beside it. */
  private async build(beginning: RunBeginning, kept: readonly Run[], slices: () => AsyncGenerator<Int32Array>): Promise<Run> {
    const { name, count } = beginning;
    const directory = new RunDirectory();
    this.made.add(name);
    await this.store.begin(name);
    await this.sorter.begin(name, this.filterBytesFor(count, kept));
    for await (const entries of slices()) await this.store.putEntries(name, directory, await this.sorter.sort(name, entries));
    return this.store.finish(beginning, directory, await this.sorter.finish(name));
  }

  /** The size to which the filter of so many ids is folded, so that all of them stay within their memory. */
  private filterBytesFor(count: number, kept: readonly Run[]): number {
    const sizes = [...kept.map(({ filter }) => filter.sizeBytes), Filter.bytesFor(count)];
    return foldedSizes(sizes, this.limits.filterBytes).at(-1) as number;
  }

  /** A manifest that names these runs is durable, and every request looked up before they stood is decided: their segments may go. */
  forgetWritten(runs: readonly RunDescription[]): void {
    const durable = Math.max(0, ...runs.map((run) => run.lastSequence));
    this.sealed = this.sealed.filter(({ segment, written }) => !written || segment.lastSequence > durable);
  }

  /** Runs of a manifest, at the start of a partition. Throws if the store lacks a part of one, or it is damaged. */
  async restore(descriptions: readonly RunDescription[]): Promise<void> {
    const sizes = foldedSizes(
      descriptions.map(({ filterBytes }) => filterBytes),
      this.limits.filterBytes,
    );
    for (const [at, description] of descriptions.entries()) this.runs.push(await this.store.load(description, sizes[at] as number));
  }

  /** Throws if the store lacks one of the runs: an owner has merged and removed it since it was restored. */
  async assertStored(): Promise<void> {
    const stored = new Set(await this.store.names());
    const missing = this.runs.map(({ description }) => description.name).filter((name) => !stored.has(name));
    if (missing.length > 0) throw new Error(`the request-id index lacks ${missing.join(', ')}`);
  }

  /** Removes the blocks of runs that neither a manifest nor memory has: left by merges, and by snapshots that failed. Not those of newer owners. @param mayRemove asked before each run. */
  async removeUnused(named: readonly RunDescription[], epoch: number, mayRemove = (): boolean => true): Promise<void> {
    const keep = new Set([...named, ...this.runs.map((run) => run.description)].map((run) => run.name));
    const newer = this.store.firstNameOf(epoch + 1);
    for (const name of await this.store.names()) if (!keep.has(name) && name < newer && mayRemove()) await this.store.remove(name);
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
    const kept = this.runs.filter((run) => !runs.includes(run));
    const beginning = { name: this.store.nameOf(epoch, lastSequence, tier), count, tier, lastSequence };
    this.runs = [...kept, await this.build(beginning, kept, () => this.slices(runs, count))];
  }

  private async *slices(runs: readonly Run[], count: number): AsyncGenerator<Int32Array> {
    const slices = Math.max(1, Math.ceil(count / MERGE_SLICE_ENTRIES));
    const width = Math.ceil(HASHES / slices);
    for (let slice = 0; slice < slices; slice += 1) {
      const entries = await this.slice(runs, slice * width, (slice + 1) * width);
      if (entries.length > 0) yield entries;
    }
  }

  /** Entries of the runs with from <= hash < to. */
  private async slice(runs: readonly Run[], from: number, to: number): Promise<Int32Array> {
    const parts: Int32Array[] = [];
    for (const run of runs) {
      const { directory } = run;
      for (let block = directory.firstBlockFor(from); directory.startsBelow(block, to); block += 1) {
        const entries = await this.store.nextBlock(run, block);
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

  private boundFilters(): void {
    const sizes = foldedSizes(
      this.runs.map(({ filter }) => filter.sizeBytes),
      this.limits.filterBytes,
    );
    for (const [at, { filter }] of this.runs.entries()) while (filter.sizeBytes > (sizes[at] as number)) filter.fold();
  }
}
