/** A contest as bytes: members in columns, so that ten thousand of them are a few arrays. */
import { newContest, type Contest, type ContestFund } from '@sluice/domain/contest';
import type { StateCodec } from '@sluice/engine';
import { contestpb } from '@sluice/protocol/contest';
import { fundStateFromProto, fundStateToProto, phaseFromProto, phaseToProto, rulesFromProto, rulesToProto } from './rules-on-the-wire';

export const contestRecord: StateCodec<Contest> = {
  version: 1,
  encode: (contest) => contestpb.ContestRecord.encode(recordOf(contest)).finish(),
  decode: (bytes, _version, contestId) => contestOf(contestpb.ContestRecord.decode(bytes), contestId),
};

function recordOf(contest: Contest): contestpb.ContestRecord {
  const { members, rules } = contest;
  const column = (values: ArrayLike<number> & { slice(start: number, end: number): Iterable<number> }): number[] => [...values.slice(0, members.count)];
  return {
    phase: phaseToProto(contest.phase),
    rules: rules === undefined ? undefined : rulesToProto(rules),
    sideIds: contest.sideIds,
    accountIds: members.accountIds,
    memberSides: column(members.sides),
    memberTotals: column(members.totals),
    memberRoundPoints: column(members.roundPoints),
    memberScoredAtUs: rules?.operator === 'LATEST' ? column(members.scoredAtUs) : [],
    round: contest.round,
    roundEndsAtUs: contest.roundEndsAtUs,
    suddenDeathSides: [...contest.suddenDeathSides],
    roundScoreCount: contest.roundScoreCount,
    sideRoundPoints: contest.sideRoundPoints,
    sideTotals: contest.sideTotals,
    roundsWon: contest.roundsWon,
    winners: [...contest.winners],
    fund: contest.fund && { ...contest.fund, state: fundStateToProto(contest.fund.state) },
    memberRewards: [...contest.rewards],
    unfinishedTasks: contest.unfinishedTasks,
  };
}

function fundOf(record: contestpb.FundRecord): ContestFund {
  return { ...record, state: fundStateFromProto(record.state) };
}

function contestOf(record: contestpb.ContestRecord, contestId: string): Contest {
  const { sideIds, round, roundEndsAtUs, suddenDeathSides, roundScoreCount, sideRoundPoints, sideTotals, roundsWon, winners } = record;
  const contest: Contest = {
    ...newContest(contestId),
    phase: phaseFromProto(record.phase),
    rules: record.rules === undefined ? undefined : rulesFromProto(record.rules),
    sideIds,
    sideMemberCounts: sideIds.map(() => 0),
    unfinishedTasks: record.unfinishedTasks,
    ...{ round, roundEndsAtUs, suddenDeathSides, roundScoreCount, sideRoundPoints, sideTotals, roundsWon, winners },
    fund: record.fund && fundOf(record.fund),
    rewards: BigInt64Array.from(record.memberRewards),
  };
  for (const [member, accountId] of record.accountIds.entries()) {
    const side = record.memberSides[member] as number;
    contest.members.add({
      accountId,
      side,
      total: record.memberTotals[member] as number,
      roundPoints: record.memberRoundPoints[member] as number,
      scoredAtUs: record.memberScoredAtUs[member] ?? 0,
    });
    contest.sideMemberCounts[side] = (contest.sideMemberCounts[side] as number) + 1;
  }
  return contest;
}
