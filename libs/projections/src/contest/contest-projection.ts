/**
 * The projection of contests. Per flush each row of a contest is read, changed by the events of the flush and written once.
 *
 * A contest that cannot be folded is set aside: nothing of it is written from its first event of the flush on. The other contests go on.
 */
import type { RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { summedContestEvents } from '@sluice/protocol/contest';
import type { CommitPlace, LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from '../projection';
import { SetAsideAggregates } from '../set-aside';
import { CONTEST_AGGREGATE, CONTEST_COLLECTIONS, CONTEST_PROJECTION, CONTEST_STANDINGS, CONTESTS } from './collections';
import { CONTEST_EVENT_ROWS, type ContestChange } from './contest-events-fold';
import { ContestRowsOfFlush } from './contest-rows-of-flush';
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
  private readonly aside: SetAsideAggregates;
  private at: CommitPlace | undefined;

  constructor(
    private readonly partition: number,
    setAside: readonly SetAside[],
  ) {
    this.aside = new SetAsideAggregates(CONTEST_AGGREGATE, partition, setAside);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    if (!summedContestEvents.owns(event.type)) return false;
    const change = summedContestEvents.read(event, commit, CONTEST_EVENT_ROWS, undefined);
    const { contestId } = change;
    if (this.aside.skips(contestId, commit.sequence)) return true;
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
      try {
        for (const write of this.writesOf(contestId, taken, loaded)) byCollection.get(write.collection)?.push(write);
      } catch (error) {
        setAside.push(this.aside.add(contestId, (taken[0] as Taken).at.sequence, error));
      }
    }
    this.taken = new Map();
    return { writes: [...byCollection.values()].flat(), setAside, postings: 0, busiest: undefined };
  }

  private writesOf(contestId: string, taken: readonly Taken[], loaded: LoadedRows): RowWrite[] {
    const rows = new ContestRowsOfFlush(contestId, this.partition, (collection, key) => loaded.get(collection)?.get(key));
    for (const { at, change } of taken) change.fold(rows, at);
    return rows.writes();
  }

  /** One for all events of a commit. */
  private placeOf({ partition, sequence, committedAtUs }: DecodedCommit): CommitPlace {
    if (this.at?.sequence !== sequence) this.at = { partition, sequence, committedAtUs };
    return this.at;
  }
}
