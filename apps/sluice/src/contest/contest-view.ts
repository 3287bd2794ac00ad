/** Contests as people see them. */
import type { Contest, ContestMoney } from '@sluice/client';
import { type Cell, clockText } from '../output';

type Pair = readonly [string, Cell];

export function contestPairs(contest: Contest): readonly Pair[] {
  const { rules } = contest;
  return [
    ['contest', contest.contestId],
    ['title', contest.title],
    ['phase', contest.phase],
    ['round', contest.round === 0 ? undefined : `${contest.round} of ${rules.rounds}${contest.suddenDeathSideIds.length > 0 ? ', sudden death' : ''}`],
    ['round ends', clockText(contest.roundEndsAt)],
    ...contest.sides.map(({ sideId, points, roundPoints, roundsWon, memberCount }): Pair => {
      const won = rules.winnerRule === 'ROUND' ? `, ${roundsWon} rounds won` : '';
      return [sideId, `${points} points, ${roundPoints} in the round${won}, ${memberCount} members`];
    }),
    ['winners', contest.winnerSideIds.join(', ') || (contest.phase === 'ENDED' ? 'nobody' : undefined)],
    ['scores', contest.scoreCount],
    ['operator', rules.operator],
    ['winner rule', rules.winnerRule],
    ['tie rule', rules.tieRule],
    ['reward', rules.reward && `${rules.reward.amountMinor} ${rules.reward.unit} ${rules.reward.kind ?? ''} from ${rules.reward.fundAccountId}`],
    ['money', contest.money && moneyText(contest.money)],
    ['join until', clockText(rules.joinUntil)],
    ['created', clockText(contest.createdAt)],
    ['started', clockText(contest.startedAt)],
    ['ended', clockText(contest.endedAt)],
    ['note', contest.note],
  ];
}

export function sidesText({ sides }: Contest): string {
  return sides.map(({ sideId, points }) => `${sideId} ${points}`).join(', ');
}

function moneyText({ state, heldMinor, paidMinor, returnedMinor, reason }: ContestMoney): string {
  switch (state) {
    case 'ASKED':
      return `${heldMinor} asked of the fund`;
    case 'REFUSED':
      return `${heldMinor} refused by the fund: ${reason}`;
    case 'HELD':
      return `${heldMinor} held, ${paidMinor} paid`;
    case 'SETTLED':
      return `${heldMinor} held, ${paidMinor} paid, ${returnedMinor} returned`;
    default:
      return state satisfies never;
  }
}
