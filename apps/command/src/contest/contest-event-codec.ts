/** Events of contests between the log and the domain. */
import type { ContestEvent, ReadTotals, RecordedScore } from '@sluice/domain/contest';
import type { EventCodec } from '@sluice/engine';
import type { EventHandlersOf, EventRecord } from '@sluice/protocol';
import { contestEvents, type contestpb, ScoresRecordedWriter } from '@sluice/protocol/contest';
import { rulesFromProto, rulesToProto } from './rules-on-the-wire';

export const contestEventCodec: EventCodec<ContestEvent> = {
  write: writeEvent,
  read: (event, place) => contestEvents.read(event, place, reading, undefined),
};

const bigints = (points: readonly number[]): bigint[] => points.map(BigInt);

function writeEvent(event: ContestEvent, contestId: string): EventRecord {
  switch (event.kind) {
    case 'created': {
      const sides = event.sides.map(({ sideId, accountIds }) => ({ sideId, accountIds: [...accountIds] }));
      return contestEvents.record('ContestCreated', { contestId, rules: rulesToProto(event.rules), sides, title: event.title });
    }
    case 'joined': {
      const { side, firstMember, accountIds } = event;
      return contestEvents.record('MembersJoined', { contestId, side, firstMember, accountIds: [...accountIds] });
    }
    case 'roundStarted': {
      const { round, endsAtUs, suddenDeathSides } = event;
      return contestEvents.record('RoundStarted', { contestId, round, endsAtUs: BigInt(endsAtUs), suddenDeathSides: [...suddenDeathSides] });
    }
    case 'scored': {
      const writer = new ScoresRecordedWriter(contestId, event.round);
      for (const score of event.scores) writer.add(score);
      return scoresRecorded(writer);
    }
    case 'roundEnded': {
      const { round, sidePoints, scoreCount } = event;
      return contestEvents.record('RoundEnded', { contestId, round, sidePoints: bigints(sidePoints), scoreCount: BigInt(scoreCount) });
    }
    case 'roundReconciled': {
      const { sidePoints, scoreCount, sequence } = event.log;
      const { round, logTotals, read, notCompared } = event;
      const log = { logSidePoints: bigints(sidePoints), logScoreCount: BigInt(scoreCount), logSequence: BigInt(sequence), logSideTotals: bigints(logTotals) };
      return contestEvents.record('RoundReconciled', { contestId, round, ...log, read: read && readTotalsToProto(read), notCompared });
    }
    case 'winnersNamed': {
      const { round, winners, totals } = event;
      return contestEvents.record('WinnersNamed', { contestId, round, sides: [...winners], sideTotals: bigints(totals) });
    }
    case 'scoreSubmitted': {
      const { requestId, accountId, points, scoredAtUs } = event.score;
      return contestEvents.record('ScoreSubmitted', { contestId, requestId, accountId, points: BigInt(points), scoredAtUs: BigInt(scoredAtUs) });
    }
    case 'scoreRefused': {
      const { requestId, accountId, reason } = event;
      return contestEvents.record('ScoreRefused', { contestId, requestId, accountId, reason });
    }
    case 'cancelled':
      return contestEvents.record('ContestCancelled', { contestId, note: event.note });
    case 'fundAsked': {
      const { fundAccountId, amountMinor, unit, attempt } = event;
      return contestEvents.record('FundAsked', { contestId, fundAccountId, amountMinor, unit, attempt });
    }
    case 'fundHeld':
      return contestEvents.record('FundHeld', { contestId, amountMinor: event.amountMinor });
    case 'fundRefused':
      return contestEvents.record('FundRefused', { contestId, reason: event.reason });
    case 'rewardsOwed': {
      const { round, rewards, nextMember } = event;
      return contestEvents.record('RewardsOwed', { contestId, round, rewards: [...rewards], nextMember });
    }
    case 'rewardsSettled':
      return contestEvents.record('RewardsSettled', { contestId, rewards: [...event.rewards] });
    case 'fundSettled': {
      const { heldMinor, paidMinor, returnedMinor } = event;
      return contestEvents.record('FundSettled', { contestId, heldMinor, paidMinor, returnedMinor });
    }
    default:
      return event satisfies never;
  }
}

export function scoresRecorded(writer: ScoresRecordedWriter): EventRecord {
  return { ...contestEvents.written('ScoresRecorded'), payload: writer.finish() };
}

const reading: EventHandlersOf<typeof contestEvents, undefined, ContestEvent> = {
  ContestCreated: ({ contestId, rules, sides, title }) => {
    if (rules === undefined) throw new Error(`contest ${contestId} is recorded without rules`);
    return { kind: 'created', rules: rulesFromProto(rules), sides, title };
  },
  MembersJoined: ({ side, firstMember, accountIds }) => ({ kind: 'joined', side, firstMember, accountIds }),
  RoundStarted: ({ round, endsAtUs, suddenDeathSides }) => ({ kind: 'roundStarted', round, endsAtUs: Number(endsAtUs), suddenDeathSides }),
  ScoresRecorded: ({ round, scores }) => ({ kind: 'scored', round, scores: scores.map(scoreFromProto) }),
  RoundEnded: ({ round, sidePoints, scoreCount }) => ({ kind: 'roundEnded', round, sidePoints: sidePoints.map(Number), scoreCount: Number(scoreCount) }),
  RoundReconciled: ({ round, logSidePoints, logScoreCount, logSequence, logSideTotals, read, notCompared }) => ({
    kind: 'roundReconciled',
    round,
    log: { sidePoints: logSidePoints.map(Number), scoreCount: Number(logScoreCount), sequence: Number(logSequence) },
    logTotals: logSideTotals.map(Number),
    read: read && readTotalsFromProto(read),
    notCompared,
  }),
  WinnersNamed: ({ round, sides, sideTotals }) => ({ kind: 'winnersNamed', round, winners: sides, totals: sideTotals.map(Number) }),
  ScoreSubmitted: ({ requestId, accountId, points, scoredAtUs }) => ({
    kind: 'scoreSubmitted',
    score: { requestId, accountId, points: Number(points), scoredAtUs: Number(scoredAtUs) },
  }),
  ScoreRefused: ({ requestId, accountId, reason }) => ({ kind: 'scoreRefused', requestId, accountId, reason }),
  ContestCancelled: ({ note }) => ({ kind: 'cancelled', note }),
  FundAsked: ({ fundAccountId, amountMinor, unit, attempt }) => ({ kind: 'fundAsked', fundAccountId, amountMinor, unit, attempt }),
  FundHeld: ({ amountMinor }) => ({ kind: 'fundHeld', amountMinor }),
  FundRefused: ({ reason }) => ({ kind: 'fundRefused', reason }),
  RewardsOwed: ({ round, rewards, nextMember }) => ({ kind: 'rewardsOwed', round, rewards, nextMember }),
  RewardsSettled: ({ rewards }) => ({ kind: 'rewardsSettled', rewards }),
  FundSettled: ({ heldMinor, paidMinor, returnedMinor }) => ({ kind: 'fundSettled', heldMinor, paidMinor, returnedMinor }),
};

function scoreFromProto(recorded: contestpb.RecordedScore): RecordedScore {
  const { points, scoredAtUs, roundPoints, totalPoints, sideRoundPoints, giverAccountId, amountMinor, unit, ...score } = recorded;
  return {
    ...score,
    ...(giverAccountId === '' ? undefined : { gift: { giverAccountId, amountMinor, unit } }),
    points: Number(points),
    scoredAtUs: Number(scoredAtUs),
    roundPoints: Number(roundPoints),
    totalPoints: Number(totalPoints),
    sideRoundPoints: Number(sideRoundPoints),
  };
}

export function readTotalsToProto({ sidePoints, sideTotals, sequence }: ReadTotals): contestpb.ReadTotals {
  return { sidePoints: bigints(sidePoints), sideTotals: bigints(sideTotals), sequence: BigInt(sequence) };
}

export function readTotalsFromProto({ sidePoints, sideTotals, sequence }: contestpb.ReadTotals): ReadTotals {
  return { sidePoints: sidePoints.map(Number), sideTotals: sideTotals.map(Number), sequence: Number(sequence) };
}
