/** A contest with its sides as bars, the time left and the first members: lines for a terminal, or one line for a pipe. */
import type { Contest, MemberStanding, WatchedStandings } from '@sluice/client';
import { barText, countText, leftText } from '../output';
import { columnOf, cut, spread } from '../text-columns';
import { shownText } from '../shown-text';

const MINIMUM_BAR = 10;

/** @param columns of the terminal; no line is longer. @param nowMs milliseconds since the epoch. */
export function scoreboard({ contest, members, memberCount }: WatchedStandings, columns: number, nowMs: number): string[] {
  const lines = [
    spread(shownText(contest.title === '' ? contest.contestId : contest.title), stateText(contest, nowMs), columns),
    '',
    ...sideLines(contest, columns),
    '',
    ...memberLines(members),
    `${countText(contest.scoreCount)} scores, ${countText(memberCount)} members`,
  ];
  return lines.map((line) => cut(line, columns));
}

/** What changed, for a pipe. */
export function scoreLine({ contest, members: [first] }: WatchedStandings, nowMs: number): string {
  const sides = contest.sides.map(({ sideId, points, roundPoints }) => `${sideId} ${points} (${roundPoints} in the round)`).join('  ');
  const top = first === undefined ? '' : `  first ${first.accountId} ${first.points}`;
  return `${new Date(nowMs).toISOString()}  ${stateText(contest, nowMs)}  ${sides}${top}  ${contest.scoreCount} scores`;
}

function stateText(contest: Contest, nowMs: number): string {
  const { phase, round, rules, roundEndsAt, suddenDeathSideIds, winnerSideIds } = contest;
  switch (phase) {
    case 'CREATED':
    case 'STARTING':
    case 'CANCELLED':
      return phase;
    case 'REWARDING':
    case 'ENDED':
      return `${phase}, ${winnerSideIds.length === 0 ? 'nobody won' : `won by ${winnerSideIds.map(shownText).join(', ')}`}`;
    case 'RUNNING':
    case 'RECONCILING': {
      const name = suddenDeathSideIds.length > 0 ? 'sudden death' : `round ${round} of ${rules.rounds}`;
      const left = phase === 'RUNNING' && roundEndsAt !== undefined ? `, ${leftText(roundEndsAt.getTime() - nowMs)} left` : '';
      return `${name}, ${phase}${left}`;
    }
    default:
      return phase satisfies never;
  }
}

function sideLines({ sides, winnerSideIds }: Contest, columns: number): string[] {
  const names = columnOf(sides.map(({ sideId }) => (winnerSideIds.includes(sideId) ? `${sideId} *` : sideId)));
  const points = columnOf(
    sides.map((side) => countText(side.points)),
    'right',
  );
  const rounds = columnOf(
    sides.map(({ roundPoints }) => `+${countText(roundPoints)}`),
    'right',
  );
  const most = Math.max(1, ...sides.map((side) => side.points));
  const room = columns - (names[0]?.length ?? 0) - (points[0]?.length ?? 0) - (rounds[0]?.length ?? 0) - 6;
  return sides.map((side, at) => `${names[at]}  ${barText(side.points / most, Math.max(MINIMUM_BAR, room))}  ${points[at]}  ${rounds[at]}`);
}

function memberLines(members: readonly MemberStanding[]): string[] {
  if (members.length === 0) return [];
  const ranks = columnOf(
    members.map(({ rank }) => String(rank)),
    'right',
  );
  const names = columnOf(members.map(({ accountId }) => accountId));
  const sides = columnOf(members.map(({ sideId }) => sideId));
  const points = columnOf(
    members.map((member) => countText(member.points)),
    'right',
  );
  return [...members.map(({ roundPoints }, at) => `${ranks[at]}  ${names[at]}  ${sides[at]}  ${points[at]}  +${countText(roundPoints)}`), ''];
}
