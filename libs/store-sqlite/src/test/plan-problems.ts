/** Reads EXPLAIN QUERY PLAN: whether a query is answered by one index, in its order. */
import type { ReadCopy, RowQuery } from '@sluice/ports';
import type { SqliteReadCopy } from '../sqlite-read-copy';

/** One step, through an index or the key. An index that has every field is COVERING; rows of a table whose rows are its key's tree are read through PRIMARY KEY. */
const BY_INDEX = /^(SEARCH|SCAN) \S+ USING ((COVERING )?INDEX|PRIMARY KEY)/;
/** A table without rowid is read in the order of its key when it is read whole. */
const WHOLE_BY_KEY = /^SCAN \S+$/;

/** Why the plan of the query would read more than its index says; empty: it does not. */
export async function planProblems(copy: ReadCopy, query: RowQuery): Promise<string[]> {
  const plan = (copy as SqliteReadCopy).explain(query);
  return plan.filter((step) => plan.length > 1 || !(BY_INDEX.test(step) || (query.index === undefined && WHOLE_BY_KEY.test(step))));
}
