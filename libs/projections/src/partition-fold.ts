/**
 * All projections of one partition as one: commits in, one batch of writes out. It reads nothing and writes nothing itself.
 */
import type { ProjectedBatch, RowWrite } from '@sluice/ports';
import { type DecodedCommit, logEvents, UnknownEventError } from '@sluice/protocol';
import { PROJECTED_HEADS, PROJECTION_FORMAT, projectedHeadRow } from './projected-head';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from './projection';
import { SET_ASIDE, setAsideRow } from './set-aside';

export interface ProjectedFlush {
  readonly batch: ProjectedBatch;
  readonly setAside: readonly SetAside[];
  /** Postings in it, refusals included. */
  readonly postings: number;
  /** The account with the most postings in it. */
  readonly busiest: Projected['busiest'];
}

export class PartitionFold {
  private readonly projections: readonly PartitionProjection[];
  private firstCommit: DecodedCommit | undefined;
  private lastCommit: DecodedCommit | undefined;

  constructor(
    readonly partition: number,
    projections: readonly Projection[],
    setAside: readonly SetAside[],
    cachedAggregates: number,
  ) {
    this.projections = projections.map((projection) =>
      projection.open(
        partition,
        setAside.filter((aside) => aside.aggregate === projection.aggregate),
        cachedAggregates,
      ),
    );
  }

  /** Takes the next commit in. Throws for an event that nobody knows. */
  take(commit: DecodedCommit): void {
    for (const event of commit.events) {
      // No row comes from the events of the engine itself.
      if (logEvents.owns(event.type)) logEvents.assertKnown(event, commit);
      else if (!this.projections.some((projection) => projection.take(commit, event))) {
        throw new UnknownEventError(commit.partition, commit.sequence, event.type, event.version);
      }
    }
    this.firstCommit ??= commit;
    this.lastCommit = commit;
  }

  /** The rows to be read before `project`. */
  missing(): RowKeys {
    const keys = new Map<string, readonly string[]>();
    for (const projection of this.projections) for (const [collection, wanted] of projection.missing()) keys.set(collection, wanted);
    return keys;
  }

  /** The writes of everything that was taken since the last time. After a write that failed the fold is to be thrown away. */
  project(loaded: LoadedRows, attempt: string): ProjectedFlush {
    const { firstCommit, lastCommit } = this;
    if (firstCommit === undefined || lastCommit === undefined) throw new Error('there is nothing to project');
    const projected = this.projections.map((projection) => projection.project(loaded, attempt));
    const setAside = projected.flatMap((one) => one.setAside);
    const writes: RowWrite[] = setAside.map((aside) => ({ kind: 'put', collection: SET_ASIDE.name, row: setAsideRow(aside) }));
    for (const one of projected) for (const write of one.writes) writes.push(write);
    const { partition } = this;
    const head = { partition, sequence: lastCommit.sequence, checksum: lastCommit.checksum, format: PROJECTION_FORMAT };
    writes.push({ kind: 'put', collection: PROJECTED_HEADS.name, row: projectedHeadRow(head) });
    this.firstCommit = undefined;
    this.lastCommit = undefined;
    return {
      batch: { partition, previousSequence: firstCommit.sequence - 1, sequence: lastCommit.sequence, committedAtUs: lastCommit.committedAtUs, writes },
      setAside,
      postings: projected.reduce((sum, one) => sum + one.postings, 0),
      busiest: projected.map((one) => one.busiest).reduce((most, one) => ((one?.postings ?? 0) > (most?.postings ?? 0) ? one : most), undefined),
    };
  }
}
