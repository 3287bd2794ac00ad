/**
 * Entry segments that were read lately. They never change and their names are unique for ever, so what is cached is right
 * whatever copy is in force; the bound is in bytes. Reads of one segment at the same time are one.
 */
import type { ReadCopy } from '@sluice/ports';
import { ENTRY_SEGMENTS, type LoadSegment } from '@sluice/projections/account';

/** Of one process. */
export const SEGMENT_CACHE_BYTES = 64 * 1024 * 1024;

export class SegmentCache {
  /** In the order of their last use. */
  private readonly segments = new Map<string, Uint8Array>();
  private readonly loading = new Map<string, Promise<Uint8Array>>();
  private bytes = 0;

  constructor(private readonly maximumBytes: number) {}

  /** Reads segments of the copy through the cache. */
  over(copy: ReadCopy): LoadSegment {
    return async (segmentId) => {
      const cached = this.segments.get(segmentId);
      if (cached !== undefined) {
        this.segments.delete(segmentId);
        this.segments.set(segmentId, cached);
        return cached;
      }
      let loading = this.loading.get(segmentId);
      if (loading === undefined) {
        loading = this.load(copy, segmentId).finally(() => this.loading.delete(segmentId));
        this.loading.set(segmentId, loading);
      }
      return loading;
    };
  }

  private async load(copy: ReadCopy, segmentId: string): Promise<Uint8Array> {
    const row = await copy.get(ENTRY_SEGMENTS.name, segmentId);
    if (row === undefined) throw new Error(`copy ${copy.name}: entry segment ${segmentId} is missing`);
    const blocks = row.blocks as Uint8Array;
    this.segments.set(segmentId, blocks);
    this.bytes += blocks.length;
    for (const [oldest, evicted] of this.segments) {
      if (this.bytes <= this.maximumBytes || oldest === segmentId) break;
      this.segments.delete(oldest);
      this.bytes -= evicted.length;
    }
    return blocks;
  }
}
