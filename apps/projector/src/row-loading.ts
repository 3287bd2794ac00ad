/** Reads the rows that a flush lacks, as few calls as the port allows. */
import type { ReadCopy, Row } from '@sluice/ports';
import {
  type LoadedRows,
  type PartitionFold,
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

/** What the fold lacks, and then what those rows name. */
export async function loadRows(copy: ReadCopy, fold: Pick<PartitionFold, 'missing' | 'linked'>): Promise<LoadedRows> {
  const loaded = new Map<string, Map<string, Row>>();
  await addRows(copy, fold.missing(), loaded);
  await addRows(copy, fold.linked(loaded), loaded);
  return loaded;
}

async function addRows(copy: ReadCopy, wanted: RowKeys, loaded: Map<string, Map<string, Row>>): Promise<void> {
  for (const [collection, keys] of wanted) {
    const byKey = loaded.get(collection) ?? new Map<string, Row>();
    loaded.set(collection, byKey);
    for (let at = 0; at < keys.length; at += KEYS_PER_CALL) {
      const asked = keys.slice(at, at + KEYS_PER_CALL);
      const rows = await copy.getMany(collection, asked);
      rows.forEach((row, index) => {
        if (row !== undefined) byKey.set(asked[index] as string, row);
      });
    }
  }
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
