/**
 * What leads from an account's row to the rest of it: which profile and which holds belong to it, how many records its entry
 * chain has, and the chain's spine. Of no use to people who look with a shell, so it is one field of bytes.
 */
import { ByteReader, ByteWriter } from '@sluice/protocol';
import { type EntrySpine, maximumSpineBytes, readSpine, writeSpine } from './entry-spine';

export interface AccountLinks {
  /** Sequence of the profile that belongs to the row. */
  readonly profileSequence: number;
  /** Sequence of the holds that belong to it; 0: there never were any. */
  readonly holdsSequence: number;
  /** Records in the entry chain: accepted and refused postings. */
  readonly recordCount: number;
  readonly spine: EntrySpine;
}

const VERSION = 1;
const NUMBERS_BYTES = 32;
/** They are many and small: written side by side into slabs, each is a view of its own stretch. */
const SLAB_BYTES = 256 * 1024;
let slab = new ByteWriter(SLAB_BYTES);

export function encodeLinks(links: AccountLinks): Uint8Array {
  if (slab.at + NUMBERS_BYTES + maximumSpineBytes(links.spine) > SLAB_BYTES) slab = new ByteWriter(SLAB_BYTES);
  const start = slab.at;
  slab.byte(VERSION);
  slab.varint(links.profileSequence);
  slab.varint(links.holdsSequence);
  slab.varint(links.recordCount);
  writeSpine(slab, links.spine);
  return slab.bytes.subarray(start, slab.at);
}

export function decodeLinks(bytes: Uint8Array): AccountLinks {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const version = reader.varint();
  if (version !== VERSION) throw new Error(`account links version ${version} is not known to this version of Sluice`);
  return { profileSequence: reader.varint(), holdsSequence: reader.varint(), recordCount: reader.varint(), spine: readSpine(reader) };
}
