/**
 * The projection of contests. Per flush each row of a contest is read, changed by the events of the flush and written once.
 *
 * A contest that cannot be folded is set aside: nothing of it is written from its first event of the flush on. The other contests go on.
 */
import type { RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { contestEvents } from '@sluice/protocol/contest';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from '../projection';
import { CONTEST_AGGREGATE, CONTEST_COLLECTIONS, CONTEST_PROJECTION, CONTEST_STANDINGS, CONTESTS } from './collections';
import { CONTEST_EVENT_ROWS, type ContestChange } from './contest-events-fold';
import { type CommitPlace, ContestRowsOfFlush } from './contest-rows-of-flush';
import { contestVerification } from './contest-verification';

export const contestProjection: Projection = {
  ...CONTEST_PROJECTION,
  collections: CONTEST_COLLECTIONS,
  open: (partition, setAside) => new ContestPartitionProjection(partition, setAside),
  verification: contestVerification,
};

interface Taken {
  readonly at: CommitPlace;
  readonly change: ContestChange;
}

class ContestPartitionProjection implements PartitionProjection {
  /** By contest. */
  private taken = new Map<string, Taken[]>();
  private readonly setAsideFrom = new Map<string, number>();
  private at: CommitPlace | undefined;

  constructor(
    private readonly partition: number,
    setAside: readonly SetAside[],
  ) {
    for (const { aggregate, key, sequence } of setAside) if (aggregate === CONTEST_AGGREGATE) this.setAsideFrom.set(key, sequence);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    if (!contestEvents.owns(event.type)) return false;
    const change = contestEvents.read(event, commit, CONTEST_EVENT_ROWS, undefined);
    const { contestId } = change;
    if (commit.sequence >= (this.setAsideFrom.get(contestId) ?? Number.POSITIVE_INFINITY)) return true;
    const taken = { at: this.placeOf(commit), change };
    const ofContest = this.taken.get(contestId);
    if (ofContest === undefined) this.taken.set(contestId, [taken]);
    else ofContest.push(taken);
    return true;
  }

  missing(): RowKeys {
    const keys = new Map<string, Set<string>>();
    const need = (collection: string, key: string): void => {
      const ofCollection = keys.get(collection);
      if (ofCollection === undefined) keys.set(collection, new Set([key]));
      else ofCollection.add(key);
    };
    for (const [contestId, taken] of this.taken) {
      need(CONTESTS.name, contestId);
      need(CONTEST_STANDINGS.name, contestId);
      for (const { change } of taken) for (const { collection, key } of change.needs ?? []) need(collection, key);
    }
    return new Map([...keys].map(([collection, ofCollection]) => [collection, [...ofCollection]]));
  }

  project(loaded: LoadedRows): Projected {
    const byCollection = new Map<string, RowWrite[]>(CONTEST_COLLECTIONS.map(({ name }) => [name, []]));
    const setAside: SetAside[] = [];
    for (const [contestId, taken] of this.taken) {
      const rows = this.writesOf(contestId, taken, loaded);
      if (rows instanceof Error) setAside.push(this.setAside(contestId, taken, rows));
      else for (const write of rows) byCollection.get(write.collection)?.push(write);
    }
    this.taken = new Map();
    return { writes: [...byCollection.values()].flat(), setAside, postings: 0, busiest: undefined };
  }

  private writesOf(contestId: string, taken: readonly Taken[], loaded: LoadedRows): RowWrite[] | Error {
    try {
      const rows = new ContestRowsOfFlush(contestId, this.partition, (collection, key) => loaded.get(collection)?.get(key));
      for (const { at, change } of taken) change.fold(rows, at);
      return rows.writes();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private setAside(key: string, taken: readonly Taken[], { message }: Error): SetAside {
    const { sequence } = (taken[0] as Taken).at;
    this.setAsideFrom.set(key, sequence);
    return { aggregate: CONTEST_AGGREGATE, key, partition: this.partition, sequence, error: message };
  }

  /** One for all events of a commit. */
  private placeOf({ partition, sequence, committedAtUs }: DecodedCommit): CommitPlace {
    if (this.at?.sequence !== sequence) this.at = { partition, sequence, committedAtUs };
    return this.at;
  }
}
