/**
 * Listings of scores. A row has the scores of a commit; a page may end within one, so its token names the row before and how many scores of the
 * next one were seen.
 */
import { decodePosition, encodePosition, positionOf, type ReadCopy, type Row, type RowPosition, type RowQuery } from '@sluice/ports';
import { CONTEST_SCORES, SCORES_PER_ROW } from '@sluice/projections/contest';
import { timestampFromUs } from '@sluice/protocol';
import { contestpb } from '@sluice/protocol/contest';
import { nextRound, refusal } from '@sluice/service';
import { decodePageToken, encodePageToken } from '../page-token';
import { checkedPageSize, checkFilter } from '../request-shape';
import { checkedPlace } from '../row-page-token';

/** Scores that one page looks at, at most: those of other members are passed over. */
const MAXIMUM_EXAMINED = 10_000;
const STEP_ROWS = 16;

interface Place {
  readonly after: RowPosition | undefined;
  /** Scores of the first row that were on the page before. */
  readonly seen: number;
}

export type ScorePage = Pick<contestpb.ListScoresResponse, 'scores' | 'nextPageToken'>;

/** Checks the request, and returns how it is read. */
export function scoreListing(request: contestpb.ListScoresRequest): (copy: ReadCopy, contest: contestpb.Contest) => Promise<ScorePage> {
  const { contestId, round, accountId, newestFirst } = request;
  checkFilter('account_id', accountId);
  const limit = checkedPageSize(request.pageSize);
  const scope = ['scores', contestId, round, accountId, newestFirst];
  const query = {
    collection: CONTEST_SCORES.name,
    index: 'by_contest',
    equals: { contest_id: contestId, ...(round === 0 ? undefined : { round }) },
    direction: newestFirst ? ('descending' as const) : ('ascending' as const),
  };
  const begin = placeOf(request.pageToken, scope, query);
  return async (copy, { sides }) => {
    const scores: contestpb.ContestScore[] = [];
    let { after, seen } = begin;
    for (let examined = 0; examined < MAXIMUM_EXAMINED; ) {
      const page = await copy.find({ ...query, after, limit: STEP_ROWS });
      for (const [at, row] of page.rows.entries()) {
        const recorded = scoresOf(row, newestFirst);
        for (; seen < recorded.length; seen += 1) {
          const score = recorded[seen] as contestpb.RecordedScore;
          examined += 1;
          if (accountId === '' || score.accountId === accountId) scores.push(scoreMessage(row, score, sides));
          if (scores.length < limit) continue;
          seen += 1;
          const isLast = seen === recorded.length && at === page.rows.length - 1 && page.next === undefined;
          return { scores, nextPageToken: isLast ? '' : tokenOf(scope, after, seen) };
        }
        seen = 0;
        after = positionOf(CONTEST_SCORES, query, row);
      }
      if (page.next === undefined) return { scores, nextPageToken: '' };
      await nextRound();
    }
    return { scores, nextPageToken: tokenOf(scope, after, 0) };
  };
}

function scoresOf(row: Row, newestFirst: boolean): contestpb.RecordedScore[] {
  const { scores } = contestpb.ScoreRow.decode(row.scores as Uint8Array);
  return newestFirst ? scores.reverse() : scores;
}

function scoreMessage(row: Row, score: contestpb.RecordedScore, sides: readonly contestpb.SideStanding[]): contestpb.ContestScore {
  const { requestId, accountId, side, points, scoredAtUs, roundPoints, totalPoints, giverAccountId, amountMinor, unit } = score;
  return {
    requestId,
    accountId,
    sideId: sides[side]?.sideId ?? '',
    round: row.round as number,
    points,
    scoredAt: scoredAtUs === 0n ? undefined : timestampFromUs(scoredAtUs),
    recordedAt: timestampFromUs(row.recorded_at_us as number),
    roundPoints,
    totalPoints,
    sequence: BigInt(row.sequence as number),
    giverAccountId,
    amountMinor,
    unit,
  };
}

function tokenOf(scope: readonly unknown[], after: RowPosition | undefined, seen: number): string {
  return encodePageToken(scope, encodePosition([...(after ?? []), seen]));
}

function placeOf(token: string, scope: readonly unknown[], query: Omit<RowQuery, 'after' | 'limit'>): Place {
  const cursor = decodePageToken(scope, token);
  if (cursor === undefined) return { after: undefined, seen: 0 };
  const values = decodePosition(cursor) ?? [];
  const seen = values.at(-1);
  const after = values.length > 1 ? values.slice(0, -1) : undefined;
  if (!Number.isInteger(seen) || (seen as number) < 0 || (seen as number) > SCORES_PER_ROW) throw refusal('PAGE_TOKEN_INVALID');
  return { after: checkedPlace(CONTEST_SCORES, query, after), seen: seen as number };
}
