/** A page of an account's entries: a range of their numbers, read from the chain of entry blocks. */
import type { EntryChain, Numbering, StoredRecord } from '@sluice/projections/account';

/** Entries of a page, in bytes, at most (about): a page always fits what gRPC clients take by default. */
const MAXIMUM_PAGE_BYTES = 2 * 1024 * 1024;

export interface StatementRequest {
  readonly oldestFirst: boolean;
  /** Refusals too, in their place. */
  readonly includeRejections: boolean;
  /** Only what was committed at or after it. */
  readonly fromUs: number | undefined;
  /** Only what was committed before it. */
  readonly toUs: number | undefined;
  readonly pageSize: number;
  /** Number that the page starts with, as the page before said. */
  readonly start: number | undefined;
}

export interface StatementPage {
  readonly records: readonly StoredRecord[];
  /** Number that the next page starts with; undefined: there is no more now. */
  readonly next: number | undefined;
}

/**
 * @param total records and entries that the account has.
 */
export async function readStatement(chain: EntryChain, total: Readonly<Record<Numbering, number>>, request: StatementRequest): Promise<StatementPage> {
  const { oldestFirst, fromUs, toUs, pageSize, start } = request;
  const numbering: Numbering = request.includeRejections ? 'record' : 'entry';
  const countBefore = async (timeUs: number): Promise<number> => {
    const moment = await chain.momentBeforeTime(timeUs);
    return (numbering === 'record' ? moment?.recordCount : moment?.entryCount) ?? 0;
  };
  const low = fromUs === undefined ? 1 : (await countBefore(fromUs)) + 1;
  const high = toUs === undefined ? total[numbering] : await countBefore(toUs);
  const first = oldestFirst ? Math.max(low, start ?? low) : Math.max(low, Math.min(high, start ?? high) - pageSize + 1);
  const last = oldestFirst ? Math.min(high, first + pageSize - 1) : Math.min(high, start ?? high);
  if (first > last) return { records: [], next: undefined };
  const newestFirst = await chain.records(numbering, first, last);
  const records = cutToBytes(oldestFirst ? newestFirst.reverse() : newestFirst);
  const next = oldestFirst ? first + records.length : last - records.length;
  return { records, next: next >= low && next <= high ? next : undefined };
}

/** As many as fit, at least one. */
function cutToBytes(records: StoredRecord[]): StoredRecord[] {
  let bytes = 0;
  const fitting = records.findIndex((record, index) => {
    bytes += record.requestBytes;
    return index > 0 && bytes > MAXIMUM_PAGE_BYTES;
  });
  return fitting === -1 ? records : records.slice(0, fitting);
}
