/**
 * Runs of one partition in the snapshot store. A run is stored under a name of its own: the blocks of its sorted entries, the pieces of its
 * directory, and the pieces of its filter. A marker that stands before the first block names the run, so that runs are listed without their blocks.
 * No stored block is larger than 1 MiB, whatever the run's length.
 */
import { crc32 } from 'node:zlib';
import type { SnapshotStore } from '@sluice/ports';
import { Filter } from './filter';
import { numbered } from './numbered-name';
import { BLOCK_ENTRIES } from './run-builder';
import { RunDirectory } from './run-directory';
import { ENTRY_NUMBERS } from './segment';

/** Blocks of entries that are put, or read for a merge, before the event loop runs: 1 MiB. */
const BLOCKS_PER_ROUND = 16;
const FILTER_PIECE_BYTES = 1 << 20;
/** Blocks that stay in memory for the next look-up: 2 MiB. */
const RECENT_BLOCKS = 32;
const MARKER = Uint8Array.of(1);

/** What the manifest of a partition says about a run. Checksums are CRC-32. */
export interface RunDescription {
  /** Prefix of its blocks. */
  readonly name: string;
  readonly count: number;
  /** 0: sealed; + 1 with every merge. */
  readonly tier: number;
  readonly lastSequence: number;
  /** Blocks of entries. */
  readonly blocks: number;
  /** Of every piece of its directory. */
  readonly directoryChecksums: readonly number[];
  readonly filterBytes: number;
  /** Of every piece of its filter. */
  readonly filterChecksums: readonly number[];
}

export interface Run {
  readonly description: RunDescription;
  readonly directory: RunDirectory;
  readonly filter: Filter;
}

export type RunBeginning = Pick<RunDescription, 'name' | 'count' | 'tier' | 'lastSequence'>;

export class RunStore {
  private readsOfRound = 0;
  /** Blocks that were looked into last; repeats come in flocks. */
  private readonly recentBlocks = new Map<string, Int32Array>();

  constructor(
    private readonly store: SnapshotStore,
    private readonly prefix: string,
    /** Tells apart what several processes write of one partition: one that loads it, and its owner. */
    private readonly writer: string,
  ) {}

  nameOf(epoch: number, lastSequence: number, tier: number): string {
    return `${this.firstNameOf(epoch)}-${numbered(lastSequence)}-${tier}-${this.writer}`;
  }

  /** Smaller than the name of every run of the epoch, larger than that of every older one. */
  firstNameOf(epoch: number): string {
    return `${this.prefix}/run-${numbered(epoch)}`;
  }

  /** Call before the first block of a run is put. */
  async begin(name: string): Promise<void> {
    await this.store.put([{ name: this.markerOf(name), bytes: MARKER }]);
  }

  /** Stores sorted entries behind those that the directory has. */
  async putEntries(name: string, directory: RunDirectory, sorted: Int32Array): Promise<void> {
    const step = BLOCK_ENTRIES * ENTRY_NUMBERS;
    for (let at = 0; at < sorted.length; ) {
      const blocks: { name: string; bytes: Uint8Array }[] = [];
      for (; at < sorted.length && blocks.length < BLOCKS_PER_ROUND; at += step) {
        const block = sorted.slice(at, Math.min(at + step, sorted.length));
        const bytes = new Uint8Array(block.buffer);
        blocks.push({ name: blockName(name, directory.blocks), bytes });
        directory.add((block[0] as number) >>> 0, crc32(bytes));
      }
      await this.store.put(blocks);
      await nextRound();
    }
  }

  /** Stores what a run has beside its entries. @param filter the bytes of its filter. */
  async finish(beginning: RunBeginning, directory: RunDirectory, filter: Uint8Array): Promise<Run> {
    const { name } = beginning;
    const directoryChecksums: number[] = [];
    for (const [piece, bytes] of directory.toPieces().entries()) directoryChecksums.push(await this.putPiece(directoryName(name, piece), bytes));
    const filterChecksums: number[] = [];
    for (let at = 0; at < filter.length; at += FILTER_PIECE_BYTES) {
      const bytes = filter.slice(at, at + FILTER_PIECE_BYTES);
      filterChecksums.push(await this.putPiece(filterName(name, filterChecksums.length), bytes));
    }
    const description = { ...beginning, blocks: directory.blocks, directoryChecksums, filterBytes: filter.length, filterChecksums };
    return { description, directory, filter: Filter.fromBytes(filter) };
  }

  /** Loads a run. Throws if a block of it is not there, or its directory or its filter is damaged. @param filterBytes to which the filter is folded. */
  async load(description: RunDescription, filterBytes: number): Promise<Run> {
    const { name, blocks, directoryChecksums, filterChecksums } = description;
    const stored = new Set(await this.store.list(`${name}/block-`));
    for (let block = 0; block < blocks; block += 1) {
      if (!stored.has(blockName(name, block))) throw new Error(`the request-id index lacks block ${block} of ${name}`);
    }
    const pieces: Uint8Array[] = [];
    for (const [piece, checksum] of directoryChecksums.entries()) pieces.push(await this.piece(directoryName(name, piece), checksum));
    const directory = RunDirectory.fromPieces(pieces);
    const filter = Filter.ofBytes(filterBytes);
    for (const [piece, checksum] of filterChecksums.entries()) {
      filter.merge(await this.piece(filterName(name, piece), checksum), piece * FILTER_PIECE_BYTES);
      await nextRound();
    }
    return { description, directory, filter };
  }

  /** Entries of a block, for a look-up. Throws if it is damaged. */
  async block(run: Run, block: number): Promise<Int32Array> {
    const { recentBlocks } = this;
    const name = blockName(run.description.name, block);
    const known = recentBlocks.get(name);
    if (known !== undefined) return known;
    const entries = await this.readBlock(run, block);
    recentBlocks.set(name, entries);
    if (recentBlocks.size > RECENT_BLOCKS) recentBlocks.delete(recentBlocks.keys().next().value as string);
    return entries;
  }

  private async readBlock({ description: { name }, directory }: Run, block: number): Promise<Int32Array> {
    const bytes = await this.store.get(blockName(name, block));
    if (bytes === undefined || crc32(bytes) !== directory.checksum(block)) {
      throw new Error(`the request-id index lacks block ${block} of ${name}, or it is damaged; remove the snapshots to build it from the log`);
    }
    const copy = new Int32Array(bytes.length / 4);
    new Uint8Array(copy.buffer).set(bytes);
    return copy;
  }

  /** The same, for work that reads many: lets the event loop run between some of them. */
  async nextBlock(run: Run, block: number): Promise<Int32Array> {
    this.readsOfRound += 1;
    if (this.readsOfRound === BLOCKS_PER_ROUND) {
      this.readsOfRound = 0;
      await nextRound();
    }
    return this.readBlock(run, block);
  }

  /** Names of the runs that are stored, whole or in part. */
  async names(): Promise<string[]> {
    const marker = this.markerOf(`${this.prefix}/`);
    return (await this.store.list(marker)).map((name) => `${this.prefix}/${name.slice(marker.length)}`);
  }

  async remove(name: string): Promise<void> {
    await this.store.remove(`${name}/`);
    await this.store.remove(this.markerOf(name));
  }

  private markerOf(name: string): string {
    return `${this.prefix}/marker-of-${name.slice(this.prefix.length + 1)}`;
  }

  private async putPiece(name: string, bytes: Uint8Array): Promise<number> {
    await this.store.put([{ name, bytes }]);
    await nextRound();
    return crc32(bytes);
  }

  private async piece(name: string, checksum: number): Promise<Uint8Array> {
    const bytes = await this.store.get(name);
    if (bytes === undefined || crc32(bytes) !== checksum) throw new Error(`the request-id index lacks ${name}, or it is damaged`);
    return bytes;
  }
}

/** Resolves in the next round of the event loop. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function blockName(run: string, block: number): string {
  return `${run}/block-${String(block).padStart(8, '0')}`;
}

function directoryName(run: string, piece: number): string {
  return `${run}/directory-${String(piece).padStart(4, '0')}`;
}

function filterName(run: string, piece: number): string {
  return `${run}/filter-${String(piece).padStart(4, '0')}`;
}
