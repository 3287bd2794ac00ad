/** Reads the rows that a flush lacks, as few calls as the port allows. */
import type { ReadCopy, Row } from '@sluice/ports';
import { type LoadedRows, type RowKeys, SET_ASIDE, type SetAside, setAsideOf } from '@sluice/projections';

/** Keys per call, as the port allows. */
const KEYS_PER_CALL = 10_000;
const ROWS_PER_PAGE = 1_000;

export async function loadRows(copy: ReadCopy, wanted: RowKeys): Promise<LoadedRows> {
  const loaded = new Map<string, Map<string, Row>>();
  for (const [collection, keys] of wanted) {
    const byKey = new Map<string, Row>();
    for (let at = 0; at < keys.length; at += KEYS_PER_CALL) {
      const asked = keys.slice(at, at + KEYS_PER_CALL);
      const rows = await copy.getMany(collection, asked);
      rows.forEach((row, index) => {
        if (row !== undefined) byKey.set(asked[index] as string, row);
      });
    }
    loaded.set(collection, byKey);
  }
  return loaded;
}

/** Every row of a collection whose fields equal, page by page. */
export async function* rowsOf(copy: ReadCopy, collection: string, keyField: string, equals?: Readonly<Record<string, string | number>>): AsyncGenerator<Row[]> {
  let afterKey: string | undefined;
  for (;;) {
    const page = await copy.find({ collection, equals, afterKey, limit: ROWS_PER_PAGE });
    if (page.length > 0) yield page;
    if (page.length < ROWS_PER_PAGE) return;
    afterKey = page.at(-1)?.[keyField] as string;
  }
}

/** The partition's aggregates that are set aside in the copy. */
export async function setAsideOfPartition(copy: ReadCopy, partition: number): Promise<SetAside[]> {
  const setAside: SetAside[] = [];
  for await (const page of rowsOf(copy, SET_ASIDE.name, SET_ASIDE.key, { partition })) setAside.push(...page.map(setAsideOf));
  return setAside;
}
