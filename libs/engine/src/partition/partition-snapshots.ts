/**
 * Snapshots of one partition in the snapshot store: written between turns in small steps, restored at a start. They only save time;
 * everything in them can be made from the log. Names carry the owner's epoch, and an owner removes only what is of its epoch or older, so
 * that one that was paused in the middle of a snapshot spoils nothing of its successor's.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Clock, EventLog, SnapshotStore } from '@sluice/ports';
import { beginningOf, readNextCommit } from '@sluice/protocol';
import type { Capability, SnapshotSession } from '../capability';
import { numbered } from '../request-index/numbered-name';
import type { LogSeeds } from '../request-index/request-hash';
import type { RunDescription } from '../request-index/run-store';
import type { PartitionLimits } from './limits';
import { decodeManifest, encodeManifest, SNAPSHOT_VERSION, type Manifest, type SnapshotPart } from './manifest';
import type { PartitionMemory } from './partition-memory';
import type { SubmissionQueue } from './submission-queue';
import type { WorkSteps } from './work-steps';

/** How long the index keeps what a snapshot wrote while a submission that was looked up before is not decided. */
const FORGET_RETRY_MS = 100;
/** Between two snapshots that are taken for the number of commits alone, at least. */
const COMMITS_SNAPSHOT_EVERY_MS = 10_000;
/** A snapshot that is taken for the number of commits alone costs no more bytes than so many per commit. */
const SNAPSHOT_BYTES_PER_COMMIT = 8 << 10;
const ONE_COMMIT = { maxCommits: 1, maxBytes: 1 };

export interface PartitionSnapshotsDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly capabilities: readonly Capability[];
  readonly limits: PartitionLimits;
  readonly queue: SubmissionQueue;
  readonly seeds: LogSeeds;
}

/** What a snapshot is made of: the state of a capability, or a room of the engine. */
interface Part {
  readonly name: string;
  /** Names its blocks; a room and a capability may have the same name. */
  readonly folder: string;
  readonly version: number;
  restore(block: Uint8Array, version: number): void;
  beginSnapshot(): SnapshotSession;
}

interface Session {
  readonly part: Part;
  readonly blocks: SnapshotSession;
}

interface Parts<Of> {
  readonly capabilities: readonly Of[];
  readonly rooms: readonly Of[];
}

interface Writing {
  /** Asked between two steps; without an answer of true the snapshot is not finished. */
  readonly isNeeded: () => Promise<boolean>;
  /** Removes the runs of the index that no manifest and no memory names. */
  readonly removeRuns: () => Promise<void>;
}

export class PartitionSnapshots {
  private readonly prefix: string;
  private removal: Promise<void> = Promise.resolve();
  private commitsCountFromMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly dependencies: PartitionSnapshotsDependencies) {
    this.prefix = `partition/${dependencies.partition}`;
  }

  // ---- restoring ----

  /** Manifests of this log whose runs were made under the key of now, the newest epoch first. Others are not used: the log has everything. */
  async manifests(): Promise<Manifest[]> {
    const { snapshots, log, seeds } = this.dependencies;
    const found: Manifest[] = [];
    for (const name of (await snapshots.list(`${this.prefix}/manifest-`)).reverse()) {
      const bytes = await snapshots.get(name);
      const manifest = bytes === undefined ? undefined : decodeManifest(bytes);
      if (manifest?.incarnation === log.identity.incarnation && manifest.hashKey === seeds.fingerprint) found.push(manifest);
    }
    return found;
  }

  /** Whether the log still has the commit at which the snapshot stands. */
  async fitsLog(manifest: Manifest): Promise<boolean> {
    const { log, partition } = this.dependencies;
    const [record] = await log.read(partition, manifest.sequence, ONE_COMMIT);
    if (record === undefined || record.sequence !== manifest.sequence) return false;
    const position = { ...beginningOf(log.identity, partition), sequence: manifest.sequence - 1, checksum: undefined };
    return Buffer.from(readNextCommit(position, record.bytes).checksum).toString('hex') === manifest.checksum;
  }

  /** Fills an empty memory. Throws for a snapshot that is damaged, and when the memory ends; the memory is useless then. */
  async restore(manifest: Manifest, memory: PartitionMemory, steps: WorkSteps): Promise<void> {
    const { snapshots } = this.dependencies;
    const digest = createHash('sha256');
    const parts = this.partsOf(memory);
    const described = [
      ...manifest.capabilities.map((part) => ({ part, known: parts.capabilities })),
      ...manifest.rooms.map((part) => ({ part, known: parts.rooms })),
    ];
    for (const { part, known } of described) {
      const { name, version, blocks } = part;
      const restored = known.find((one) => one.name === name);
      if (restored === undefined) throw new Error(`the snapshot holds ${name}, which this version of Sluice does not know`);
      if (version > restored.version) throw new Error(`the snapshot holds version ${version} of ${name}, this version of Sluice knows ${restored.version}`);
      for (let block = 0; block < blocks; block += 1) {
        const bytes = await snapshots.get(blockName(manifest.blocks, restored.folder, block));
        if (bytes === undefined) throw new Error(`the snapshot lacks block ${block} of ${name}`);
        digest.update(bytes);
        restored.restore(bytes, version);
        await memory.pauseAfter(bytes.length, steps);
      }
    }
    if (digest.digest('hex') !== manifest.digest) throw new Error('the blocks of the snapshot are not those that were written');
    await memory.index.restore(manifest.runs);
    memory.sequence = manifest.sequence;
    memory.checksum = Buffer.from(manifest.checksum, 'hex');
    memory.committedAtUs = manifest.committedAtUs;
    memory.epoch = manifest.epoch;
    memory.snapshotSizeBytes = manifest.sizeBytes;
  }

  // ---- writing ----

  due(memory: PartitionMemory): boolean {
    const { limits, clock } = this.dependencies;
    const { index, snapshotSizeBytes, logBytesSinceSnapshot, commitsSinceSnapshot } = memory;
    if (index.full || logBytesSinceSnapshot >= Math.max(limits.snapshotBytes, snapshotSizeBytes * 2)) return true;
    const hasManyCommits = commitsSinceSnapshot >= Math.max(limits.snapshotCommits, snapshotSizeBytes / SNAPSHOT_BYTES_PER_COMMIT);
    return hasManyCommits && clock.monotonicMs() >= this.commitsCountFromMs;
  }

  /**
   * Snapshot of the memory as decided now. Its blocks are formed in small steps between turns; what changes meanwhile is kept as it was.
   * It leaves only when the commit at which it stands is durable, and ends without a manifest when the memory does.
   */
  async write(memory: PartitionMemory): Promise<void> {
    await this.writeWhile(memory, {
      isNeeded: async () => !memory.ended,
      removeRuns: async () => {
        this.removal = this.removeUnusedRuns(memory);
        await this.removal;
      },
    });
  }

  /**
   * Snapshot of a memory that nothing changes any more, by an instance that has let go of the partition: unless another instance has
   * committed since, which then has all of it in memory. It removes no runs: the next owner's index may name them.
   */
  async writeLast(memory: PartitionMemory): Promise<void> {
    const { log, partition } = this.dependencies;
    await this.writeWhile(memory, {
      isNeeded: async () => (await log.read(partition, memory.sequence + 1, ONE_COMMIT)).length === 0,
      removeRuns: async () => undefined,
    });
  }

  /** Resolves when no blocks are being removed. A partition is not let go before: its next owner may have restored what they belong to. */
  get removing(): Promise<void> {
    return this.removal;
  }

  private async writeWhile(memory: PartitionMemory, { isNeeded, removeRuns }: Writing): Promise<void> {
    const { snapshots, log, queue, seeds } = this.dependencies;
    const { sequence, committedAtUs, epoch, index } = memory;
    const checksum = Buffer.from(memory.checksum).toString('hex');
    const { capabilities, rooms } = this.partsOf(memory);
    const sessions = { capabilities: begun(capabilities), rooms: begun(rooms) };
    index.seal();
    memory.logBytesSinceSnapshot = 0;
    memory.commitsSinceSnapshot = 0;
    this.commitsCountFromMs = this.dependencies.clock.monotonicMs() + COMMITS_SNAPSHOT_EVERY_MS;
    let durable = false;
    try {
      await memory.commits.durable(sequence);
      await removeRuns();
      const blocks = stateName(this.prefix, epoch, sequence);
      const written = await this.writeBlocks(sessions, blocks, isNeeded);
      if (written === undefined) return;
      const runs = await index.writeSealed(epoch);
      if (!(await isNeeded())) return;
      const { incarnation } = log.identity;
      const stands = { version: SNAPSHOT_VERSION, incarnation, hashKey: seeds.fingerprint, sequence, epoch, committedAtUs, checksum };
      const manifest: Manifest = { ...stands, blocks, ...written, runs };
      await snapshots.put([{ name: manifestName(this.prefix, epoch), bytes: encodeManifest(manifest) }]);
      durable = true;
      memory.snapshotSizeBytes = written.sizeBytes;
      this.forgetWhenDecided(memory, runs, queue.submitted);
      await this.removeOlder(epoch, blocks);
    } finally {
      for (const { blocks } of [...sessions.capabilities, ...sessions.rooms]) blocks.end(durable);
    }
  }

  private async removeUnusedRuns(memory: PartitionMemory): Promise<void> {
    const named = (await this.manifests()).flatMap(({ runs }) => runs);
    await memory.index.removeUnused(named, memory.epoch, () => !memory.ended);
  }

  /** Undefined: the snapshot is not needed any more. */
  private async writeBlocks(
    sessions: Parts<Session>,
    blocks: string,
    isNeeded: Writing['isNeeded'],
  ): Promise<Pick<Manifest, 'capabilities' | 'rooms' | 'digest' | 'sizeBytes'> | undefined> {
    const written = { digest: createHash('sha256'), sizeBytes: 0 };
    const capabilities = await this.writeParts(sessions.capabilities, blocks, written, isNeeded);
    const rooms = capabilities && (await this.writeParts(sessions.rooms, blocks, written, isNeeded));
    if (capabilities === undefined || rooms === undefined) return undefined;
    return { capabilities, rooms, digest: written.digest.digest('hex'), sizeBytes: written.sizeBytes };
  }

  /** Adds what it writes to `written`. */
  private async writeParts(
    sessions: readonly Session[],
    blocks: string,
    written: { readonly digest: Hash; sizeBytes: number },
    isNeeded: Writing['isNeeded'],
  ): Promise<SnapshotPart[] | undefined> {
    const parts: SnapshotPart[] = [];
    for (const { part, blocks: session } of sessions) {
      let count = 0;
      for (let block = session.next(); block !== undefined; block = session.next()) {
        await this.dependencies.snapshots.put([{ name: blockName(blocks, part.folder, count), bytes: block }]);
        written.digest.update(block);
        written.sizeBytes += block.length;
        count += 1;
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (!(await isNeeded())) return undefined;
      }
      parts.push({ name: part.name, version: part.version, blocks: count });
    }
    return parts;
  }

  private partsOf(memory: PartitionMemory): Parts<Part> {
    return {
      capabilities: memory.states.map((state, at) => {
        const { name, snapshotVersion: version = 1 } = this.dependencies.capabilities[at] as Capability;
        return { name, folder: name, version, restore: state.restore.bind(state), beginSnapshot: state.beginSnapshot.bind(state) };
      }),
      rooms: memory.roomList.map((room) => ({
        name: room.name,
        folder: `engine-${room.name}`,
        version: room.snapshotVersion,
        restore: room.restore.bind(room),
        beginSnapshot: room.beginSnapshot.bind(room),
      })),
    };
  }

  /** What a newer owner wrote stays. */
  private async removeOlder(epoch: number, blocks: string): Promise<void> {
    const { snapshots } = this.dependencies;
    for (const name of await snapshots.list(`${this.prefix}/manifest-`)) if (name < manifestName(this.prefix, epoch)) await snapshots.remove(name);
    const newer = stateName(this.prefix, epoch + 1, 0);
    const states = new Set((await snapshots.list(`${this.prefix}/state-`)).map((block) => block.slice(0, block.lastIndexOf('/'))));
    for (const name of states) if (name !== blocks && name < newer) await snapshots.remove(`${name}/`);
  }

  /** Requests that were looked up before the runs stood must be decided before the segments go. */
  private forgetWhenDecided(memory: PartitionMemory, runs: readonly RunDescription[], submitted: number): void {
    const { queue, clock } = this.dependencies;
    if (memory.ended) return;
    if (queue.hasTaken(submitted)) memory.index.forgetWritten(runs);
    else clock.after(FORGET_RETRY_MS, () => this.forgetWhenDecided(memory, runs, submitted));
  }
}

function begun(parts: readonly Part[]): Session[] {
  return parts.map((part) => ({ part, blocks: part.beginSnapshot() }));
}

function blockName(blocks: string, part: string, block: number): string {
  return `${blocks}/${part}-${String(block).padStart(8, '0')}`;
}

function manifestName(prefix: string, epoch: number): string {
  return `${prefix}/manifest-${numbered(epoch)}`;
}

function stateName(prefix: string, epoch: number, sequence: number): string {
  return `${prefix}/state-${numbered(epoch)}-${numbered(sequence)}`;
}
