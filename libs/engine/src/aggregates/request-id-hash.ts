/** Hashes by which the request index knows requests of ordinary aggregates. The kind goes into them: aggregates of different kinds may have the same key. */
import { lastHash, requestHash, requestHashIn, wordsIn, type HashSeeds } from '../request-index/request-hash';
import type { AnyAggregate } from './aggregate-definition';
import type { AggregateKey } from './aggregate-kind';

type KindName = Pick<AnyAggregate, 'capability' | 'aggregate'>;

const TYPICAL_ID_BYTES = 128;

export function requestIdHash(
  seeds: HashSeeds,
  kind: KindName,
  { hash }: AggregateKey,
  requestId: string,
): { readonly first: number; readonly second: number } {
  const id = Buffer.from(prefixOf(kind) + requestId, 'utf8');
  requestHash(seeds, hash, id, 0, id.length);
  return { first: lastHash.first, second: lastHash.second };
}

/** The same for many requests of one kind whose ids lie in bytes. */
export class RequestIdHashes {
  /** The prefix, and room for an id. */
  private hashed: Buffer;
  private words: DataView;
  private readonly prefixBytes: number;

  constructor(
    private readonly seeds: HashSeeds,
    kind: KindName,
  ) {
    const prefix = Buffer.from(prefixOf(kind), 'utf8');
    this.prefixBytes = prefix.length;
    this.hashed = Buffer.concat([prefix], prefix.length + TYPICAL_ID_BYTES);
    this.words = wordsIn(this.hashed);
  }

  /** @param keyHash of the aggregate's key. @param ids holds the id in [at, end). @param into takes both halves, from `intoAt` on. */
  write(keyHash: number, ids: Uint8Array, at: number, end: number, into: Int32Array, intoAt: number): void {
    const length = this.prefixBytes + end - at;
    if (length > this.hashed.length) this.grow(length);
    const { hashed, prefixBytes } = this;
    for (let from = at, to = prefixBytes; from < end; from += 1, to += 1) hashed[to] = ids[from] as number;
    requestHashIn(this.seeds, keyHash, this.words, 0, length, into, intoAt);
  }

  private grow(length: number): void {
    this.hashed = Buffer.concat([this.hashed.subarray(0, this.prefixBytes)], length);
    this.words = wordsIn(this.hashed);
  }
}

function prefixOf({ capability, aggregate }: KindName): string {
  return `${capability}.${aggregate}/`;
}
