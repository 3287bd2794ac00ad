/** Pages of the standings, and what watchers get. */
import type { contestpb } from '@sluice/protocol/contest';
import { invalidRequest, refusal } from '@sluice/service';
import { decodePageToken, encodePageToken } from '../page-token';
import { checkedPageSize, checkFilter, checkKey } from '../request-shape';
import type { RankedMember, RankedPlace, Ranking } from './ranking';
import type { Standings } from './standings-reading';

const ALL_SIDES = -1;
const DEFAULT_TOP = 10;
const MAXIMUM_TOP = 100;

type PageDirection = 'behind' | 'before';

interface PageCursor extends RankedPlace {
  readonly direction: PageDirection;
}

export type StandingsPage = Pick<contestpb.GetStandingsResponse, 'members' | 'memberCount' | 'nextPageToken' | 'previousPageToken'>;

/** What a page is asked for, checked before anything is read. */
export interface AskedPage {
  readonly sideId: string;
  readonly accountId: string;
  readonly limit: number;
  readonly cursor: PageCursor | undefined;
  readonly scope: readonly unknown[];
}

export function askedPage({ contestId, sideId, accountId, pageSize, pageToken }: contestpb.GetStandingsRequest): AskedPage {
  checkKey('contest_id', contestId);
  checkFilter('side_id', sideId);
  checkFilter('account_id', accountId);
  if (accountId !== '' && pageToken !== '') throw invalidRequest('page_token', 'cannot be given together with account_id');
  const scope = ['standings', contestId, sideId];
  return { sideId, accountId, limit: checkedPageSize(pageSize), cursor: cursorOf(decodePageToken(scope, pageToken)), scope };
}

export function standingsPage(standings: Standings, { sideId, accountId, limit, cursor, scope }: AskedPage): StandingsPage {
  const { contest, ranking } = standings;
  const side = sideOf(contest, sideId);
  const from = beginningOf(ranking, side, limit, accountId === '' ? cursor : placeOfMember(standings, accountId, side), accountId !== '');
  const count = from.end - from.begin;
  const members = ranking.slice(side, from.begin, count);
  const token = (member: RankedMember | undefined, direction: PageDirection): string =>
    member === undefined ? '' : encodePageToken(scope, JSON.stringify([member.points, member.member, direction]));
  return {
    members: members.map((member) => memberMessage(contest, member)),
    memberCount: ranking.count(side),
    nextPageToken: from.end < ranking.count(side) ? token(members.at(-1), 'behind') : '',
    previousPageToken: from.begin > 0 ? token(members[0], 'before') : '',
  };
}

export interface AskedTop {
  readonly sideId: string;
  readonly accountId: string;
  readonly top: number;
}

export function askedTop({ contestId, sideId, accountId, top }: contestpb.WatchStandingsRequest): AskedTop {
  checkKey('contest_id', contestId);
  checkFilter('side_id', sideId);
  checkFilter('account_id', accountId);
  if (top > MAXIMUM_TOP) throw invalidRequest('top', `is 1 to ${MAXIMUM_TOP}, or 0 for ${DEFAULT_TOP}; not ${top}`);
  return { sideId, accountId, top: top === 0 ? DEFAULT_TOP : top };
}

export function topOf(standings: Standings, { sideId, accountId, top }: AskedTop): Omit<contestpb.WatchStandingsResponse, 'positionToken'> {
  const { contest, ranking } = standings;
  const side = sideOf(contest, sideId);
  return {
    contest,
    members: ranking.slice(side, 0, top).map((member) => memberMessage(contest, member)),
    member: accountId === '' ? undefined : oneMember(standings, accountId, side),
    memberCount: ranking.count(side),
  };
}

function oneMember(standings: Standings, accountId: string, side: number): contestpb.MemberStanding | undefined {
  const place = placeOfMember(standings, accountId, side);
  const [member] = standings.ranking.slice(side, standings.ranking.before(side, place), 1);
  return member && memberMessage(standings.contest, member);
}

function beginningOf(
  ranking: Ranking,
  side: number,
  limit: number,
  place: PageCursor | RankedPlace | undefined,
  isAround: boolean,
): { readonly begin: number; readonly end: number } {
  const count = ranking.count(side);
  const page = (begin: number): { begin: number; end: number } => ({ begin, end: Math.min(begin + limit, count) });
  if (place === undefined) return page(0);
  const before = ranking.before(side, place);
  // At the end of the ranking the page begins earlier, so that it is full.
  if (isAround) return page(Math.max(0, Math.min(before - (limit >>> 1), count - limit)));
  if ('direction' in place && place.direction === 'before') return { begin: Math.max(0, before - limit), end: before };
  // The place itself was on the page before.
  return page(ranking.before(side, { points: place.points, member: place.member + 1 }));
}

function placeOfMember({ contest, ranking }: Standings, accountId: string, side: number): RankedPlace {
  const place = ranking.placeOf(accountId);
  if (place !== undefined && (side === ALL_SIDES || place.side === side)) return place;
  const where = side === ALL_SIDES ? '' : ` on the side "${contest.sides[side]?.sideId ?? ''}"`;
  throw refusal('CONTEST_MEMBER_NOT_FOUND', `the contest "${contest.contestId}" has no member "${accountId}"${where}`, { account_id: accountId });
}

/** Number of the side. */
function sideOf({ contestId, sides }: contestpb.Contest, sideId: string): number {
  if (sideId === '') return ALL_SIDES;
  const side = sides.findIndex((one) => one.sideId === sideId);
  if (side === -1) throw refusal('CONTEST_SIDE_NOT_FOUND', `the contest "${contestId}" has no side "${sideId}"`, { side_id: sideId });
  return side;
}

function memberMessage({ sides }: contestpb.Contest, { rank, accountId, side, points, roundPoints }: RankedMember): contestpb.MemberStanding {
  return { rank, accountId, sideId: sides[side]?.sideId ?? '', points: BigInt(points), roundPoints: BigInt(roundPoints) };
}

function cursorOf(text: string | undefined): PageCursor | undefined {
  if (text === undefined) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    throw refusal('PAGE_TOKEN_INVALID');
  }
  const [points, member, direction] = Array.isArray(values) ? (values as unknown[]) : [];
  if (!Number.isSafeInteger(points) || !Number.isSafeInteger(member) || (direction !== 'behind' && direction !== 'before')) throw refusal('PAGE_TOKEN_INVALID');
  return { points: points as number, member: member as number, direction };
}
