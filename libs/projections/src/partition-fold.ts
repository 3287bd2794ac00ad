/**
 * Projections of one partition as one: commits in, one batch of writes out. It reads nothing and writes nothing itself.
 */
import type { ProjectedBatch, RowWrite } from '@sluice/ports';
import { type DecodedCommit, type EventRecord, eventTableOf, UnknownEventError } from '@sluice/protocol';
import { PROJECTED_HEADS, projectedHeadRow } from './projected-head';
import { type LoadedRows, type PartitionProjection, type Projected, type Projection, projectionId, type RowKeys, type SetAside } from './projection';
import { SET_ASIDE, setAsideRow } from './set-aside';

export interface ProjectedFlush {
  readonly batch: ProjectedBatch;
  readonly setAside: readonly SetAside[];
  /** Postings in it, refusals included. */
  readonly postings: number;
  /** The account with the most postings in it. */
  readonly busiest: Projected['busiest'];
}

/** Aggregates that are set aside, by the id of the projection. */
export type SetAsideByProjection = ReadonlyMap<string, readonly SetAside[]>;

interface OpenProjection {
  readonly id: string;
  readonly fold: PartitionProjection;
}

export class PartitionFold {
  private readonly projections: readonly OpenProjection[];
  private firstCommit: DecodedCommit | undefined;
  private lastCommit: DecodedCommit | undefined;

  /** @param projections those that stand at the same sequence; events of others are passed over. */
  constructor(
    readonly partition: number,
    projections: readonly Projection[],
    setAside: SetAsideByProjection,
    cachedAggregates: number,
  ) {
    this.projections = projections.map((projection) => {
      const id = projectionId(projection);
      return { id, fold: projection.open(partition, setAside.get(id) ?? [], cachedAggregates) };
    });
  }

  /** Takes the next commit in. Throws UnknownEventError. */
  take(commit: DecodedCommit): void {
    for (const event of commit.events) this.takeEvent(commit, event);
    this.firstCommit ??= commit;
    this.lastCommit = commit;
  }

  /** The rows to be read before `project`. */
  missing(): RowKeys {
    const keys = new Map<string, readonly string[]>();
    for (const { fold } of this.projections) for (const [collection, wanted] of fold.missing()) keys.set(collection, wanted);
    return keys;
  }

  /** The rows that these name, to be read before `project` as well. */
  linked(loaded: LoadedRows): RowKeys {
    const keys = new Map<string, readonly string[]>();
    for (const { fold } of this.projections) for (const [collection, wanted] of fold.linked?.(loaded) ?? []) keys.set(collection, wanted);
    return keys;
  }

  /** The writes of everything that was taken since the last time. After a write that failed the fold is to be thrown away. */
  project(loaded: LoadedRows, attempt: string): ProjectedFlush {
    const { firstCommit, lastCommit, partition } = this;
    if (firstCommit === undefined || lastCommit === undefined) throw new Error('there is nothing to project');
    const projected = this.projections.map(({ id, fold }) => ({ id, ...fold.project(loaded, attempt) }));
    const writes: RowWrite[] = projected.flatMap(({ id, setAside }) =>
      setAside.map((aside) => ({ kind: 'put', collection: SET_ASIDE.name, row: setAsideRow(id, aside) })),
    );
    for (const one of projected) for (const write of one.writes) writes.push(write);
    const { sequence, checksum, committedAtUs } = lastCommit;
    for (const { id } of projected) {
      writes.push({ kind: 'put', collection: PROJECTED_HEADS.name, row: projectedHeadRow({ projection: id, partition, sequence, checksum }) });
    }
    this.firstCommit = undefined;
    this.lastCommit = undefined;
    return {
      batch: { partition, projections: projected.map(({ id }) => id), previousSequence: firstCommit.sequence - 1, sequence, committedAtUs, writes },
      setAside: projected.flatMap((one) => one.setAside),
      postings: projected.reduce((sum, one) => sum + one.postings, 0),
      busiest: projected.map((one) => one.busiest).reduce((most, one) => ((one?.postings ?? 0) > (most?.postings ?? 0) ? one : most), undefined),
    };
  }

  private takeEvent(commit: DecodedCommit, event: EventRecord): void {
    let taken = false;
    for (const { fold } of this.projections) if (fold.take(commit, event)) taken = true;
    if (taken) return;
    // No row of these projections comes from it. It must be known all the same: an older version must not pass over what it cannot read.
    const table = eventTableOf(event.type);
    if (table === undefined) throw new UnknownEventError(commit.partition, commit.sequence, event.type, event.version);
    table.assertKnown(event, commit);
  }
}
