/**
 * A contest with the ranking of its members, of one moment. The row of the contest names the sequence of the points that belong to it; rows of two
 * moments are read again. Rankings are kept while nobody has scored, so that calls that come together cost one.
 */
import type { ReadCopy } from '@sluice/ports';
import {
  CONTEST_ROSTERS,
  CONTEST_STANDINGS,
  CONTESTS,
  contestMessage,
  ofContestRows,
  rosterStateOf,
  SpoiltContestError,
  standingsStateOf,
} from '@sluice/projections/contest';
import type { PauseBetweenReads } from '@sluice/projections';
import type { contestpb } from '@sluice/protocol/contest';
import { GatheredReads } from '../gathered-reads';
import { readSingly } from '../shared-watches';
import { Ranking, Roster } from './ranking';

/** Members of all rankings that are kept: some 40 bytes each, and their accounts. */
const KEPT_MEMBERS = 200_000;
/** What a ranking takes beside its members, counted in members: there may be many contests that nobody has joined. */
const MEMBERS_PER_RANKING = 16;

export interface Standings {
  readonly contest: contestpb.Contest;
  readonly ranking: Ranking;
}

interface Kept {
  readonly copy: string;
  readonly sequence: number;
  readonly ranking: Ranking;
}

type OnceRead = Standings | 'torn' | undefined;

export class StandingsReading {
  /** By contest, the one that was used last at the end. */
  private readonly kept = new Map<string, Kept>();
  private keptMembers = 0;
  private readonly gathered = new GatheredReads<ReadCopy, OnceRead>((copy, contestId) => this.readOnce(copy, contestId));

  /** Undefined: there is no such contest. */
  async read(copy: ReadCopy, contestId: string, pause: () => PauseBetweenReads): Promise<Standings | undefined> {
    let wait: PauseBetweenReads | undefined;
    for (let reads = 1; ; reads += 1) {
      const found = await this.gathered.now(copy, contestId);
      if (found !== 'torn') return found;
      wait ??= pause();
      await wait(reads, [contestId]);
    }
  }

  /** For watches: what is torn or spoilt is left out, and read at the next look. */
  readonly changed = readSingly<Standings>(
    async (copy, contestId) => {
      const found = await this.gathered.now(copy, contestId).catch(unlessSpoilt);
      return found === undefined || found === 'torn' ? undefined : { state: found, sequence: Number(found.contest.sequence) };
    },
    async (copy, contestIds) => (await copy.getMany(CONTESTS.name, contestIds)).map((row) => (row?.sequence as number | undefined) ?? 0),
  );

  private async readOnce(copy: ReadCopy, contestId: string): Promise<OnceRead> {
    const row = await copy.get(CONTESTS.name, contestId);
    if (row === undefined) return undefined;
    const contest = contestMessage(row);
    const sequence = row.standings_sequence as number;
    const kept = this.kept.get(contestId);
    const before = kept?.copy === copy.name ? kept : undefined;
    if (before !== undefined && before.sequence === sequence) {
      this.keep(contestId, before);
      return { contest, ranking: before.ranking };
    }
    const standings = await copy.get(CONTEST_STANDINGS.name, contestId);
    if (standings === undefined || standings.sequence !== sequence) return 'torn';
    const state = ofContestRows(contestId, () => standingsStateOf(standings));
    const roster = await readRoster(copy, contestId, state.points.length, before?.ranking.roster);
    if (roster === undefined) return 'torn';
    const ranking = new Ranking(state, roster);
    this.keep(contestId, { copy: copy.name, sequence, ranking });
    return { contest, ranking };
  }

  private keep(contestId: string, kept: Kept): void {
    this.forget(contestId);
    this.kept.set(contestId, kept);
    this.keptMembers += weightOf(kept);
    for (const oldest of this.kept.keys()) {
      if (this.keptMembers <= KEPT_MEMBERS) return;
      this.forget(oldest);
    }
  }

  private forget(contestId: string): void {
    const kept = this.kept.get(contestId);
    if (kept === undefined) return;
    this.keptMembers -= weightOf(kept);
    this.kept.delete(contestId);
  }
}

/** One contest whose rows are spoilt must not end the look at all the others. */
function unlessSpoilt(error: unknown): undefined {
  if (!(error instanceof SpoiltContestError)) throw error;
}

function weightOf({ ranking }: Kept): number {
  return ranking.memberCount + MEMBERS_PER_RANKING;
}

/** Members are only added: a roster with as many members as there are points serves them. Undefined: it is being written. */
async function readRoster(copy: ReadCopy, contestId: string, memberCount: number, known: Roster | undefined): Promise<Roster | undefined> {
  if (known !== undefined && known.state.accountIds.length >= memberCount) return known;
  const row = await copy.get(CONTEST_ROSTERS.name, contestId);
  if (row === undefined) return undefined;
  const state = ofContestRows(contestId, () => rosterStateOf(row));
  return state.accountIds.length < memberCount ? undefined : new Roster(state, row.sequence as number);
}
