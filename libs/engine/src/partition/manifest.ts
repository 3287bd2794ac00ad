/**
 * The manifest of the newest snapshot that an owner made of a partition: which blocks it has, at which commit it stands. It is written
 * last; without it the blocks are nothing. Manifests and blocks are named by the owner's epoch, so that two owners never write to or
 * remove the same ones.
 */
import type { RunDescription } from '../request-index/run-store';

export const SNAPSHOT_VERSION = 4;

/** The blocks of one capability, or of one room of the engine. */
export interface SnapshotPart {
  readonly name: string;
  /** In which its blocks are written. */
  readonly version: number;
  readonly blocks: number;
}

export interface Manifest {
  readonly version: number;
  /** Hex. */
  readonly incarnation: string;
  /** Fingerprint of the key of the hashes in the runs, hex. */
  readonly hashKey: string;
  readonly sequence: number;
  readonly epoch: number;
  readonly committedAtUs: number;
  /** Checksum of the commit at `sequence`, hex. */
  readonly checksum: string;
  /** Prefix of the state's blocks. */
  readonly blocks: string;
  /** In the order in which they are restored. */
  readonly capabilities: readonly SnapshotPart[];
  readonly rooms: readonly SnapshotPart[];
  /** SHA-256 of all their blocks, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly runs: readonly RunDescription[];
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(JSON.stringify(manifest), 'utf8');
}

/** Undefined: of another version, or not readable: it is not used, the log has everything. */
export function decodeManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    const manifest = JSON.parse(Buffer.from(bytes).toString('utf8')) as Manifest;
    return manifest.version === SNAPSHOT_VERSION ? manifest : undefined;
  } catch {
    return undefined;
  }
}
