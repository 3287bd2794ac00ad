/** Reads the rows that a flush lacks, as few calls as the port allows. */
import type { ReadCopy, Row } from '@sluice/ports';
import {
  type LoadedRows,
  type Projection,
  projectionId,
  type RowKeys,
  rowsOf,
  SET_ASIDE,
  type SetAside,
  type SetAsideByProjection,
  setAsideOf,
} from '@sluice/projections';

/** Keys per call, as the port allows. */
const KEYS_PER_CALL = 10_000;

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

/** The partition's aggregates that are set aside in the copy, by the id of the projection. */
export async function setAsideOfPartition(copy: ReadCopy, partition: number, projections: readonly Projection[]): Promise<SetAsideByProjection> {
  const byProjection = new Map<string, SetAside[]>();
  for (const projection of projections.map(projectionId)) {
    const setAside: SetAside[] = [];
    const query = { collection: SET_ASIDE.name, index: 'by_partition', equals: { projection, partition } };
    for await (const page of rowsOf(copy, query)) setAside.push(...page.map(setAsideOf));
    byProjection.set(projection, setAside);
  }
  return byProjection;
}
