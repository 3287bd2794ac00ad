/** Reads all rows of a query, a page at a time. */
import type { ReadCopy, Row, RowPosition, RowQuery } from '@sluice/ports';

const ROWS_PER_PAGE = 1_000;

/** Every row that the query names, page by page. */
export async function* rowsOf(copy: ReadCopy, query: Omit<RowQuery, 'after' | 'limit'>, rowsPerPage = ROWS_PER_PAGE): AsyncGenerator<Row[]> {
  let after: RowPosition | undefined;
  do {
    const page = await copy.find({ ...query, after, limit: rowsPerPage });
    if (page.rows.length > 0) yield page.rows;
    after = page.next;
  } while (after !== undefined);
}
