/**
 * The read collections of contests. The points of all members are one row (`contest_standings`): ten thousand scores of a flush cost the row of the
 * points and that of the contest, whatever members they are of, and a ranking is of one moment.
 */
import type { CollectionDefinition } from '@sluice/ports';

/** Names the projection, with its format: rows of two formats stand apart. */
export const CONTEST_PROJECTION = { name: 'contest', format: 3 } as const;

export const CONTESTS: CollectionDefinition = {
  name: 'contests',
  key: 'contest_id',
  fields: {
    contest_id: 'text',
    partition: 'number',
    title: 'text',
    /** CREATED, STARTING, RUNNING, RECONCILING, REWARDING, ENDED or CANCELLED. */
    phase: 'text',
    /** sluice.contest.v1.ContestRules. */
    rules: 'bytes',
    /** JSON. */
    side_ids: 'text',
    /** By side, joined by commas. */
    side_member_counts: 'text',
    /** By side, joined by commas: points in all regular rounds. */
    side_points: 'text',
    /** By side, joined by commas: points in the round. */
    side_round_points: 'text',
    /** By side, joined by commas: regular rounds that it won. */
    rounds_won: 'text',
    /** The round that runs or was the last one; 0: none was started. */
    round: 'number',
    /** 0: a request ends it. */
    round_ends_at_us: 'number',
    /** Numbers of sides, joined by commas; empty: the round is a regular one. */
    sudden_death_sides: 'text',
    /** Numbers of sides, joined by commas. */
    winners: 'text',
    score_count: 'number',
    created_at_us: 'number',
    /** 0: not started. */
    started_at_us: 'number',
    /** 0: not over. */
    ended_at_us: 'number',
    note: 'text',
    /** ASKED, REFUSED, HELD or SETTLED; empty: nothing was asked of a fund. */
    fund_state: 'text',
    /** What was asked of the fund, and is held when it has given it. */
    fund_amount_minor: 'int64',
    /** What winners got. */
    paid_minor: 'int64',
    /** What the fund has again. */
    returned_minor: 'int64',
    /** Why the fund refused. */
    fund_reason: 'text',
    /** Of the row in `contest_standings` that belongs to this one. */
    standings_sequence: 'number',
    sequence: 'number',
  },
  indexes: { by_phase: ['phase', 'created_at_us'], by_time: ['created_at_us'], by_partition: ['partition'] },
  guard: 'sequence',
};

/** Accounts of the members by number. Members are only added, so a newer row serves older standings. */
export const CONTEST_ROSTERS: CollectionDefinition = {
  name: 'contest_rosters',
  key: 'contest_id',
  fields: {
    contest_id: 'text',
    partition: 'number',
    /** JSON. */
    account_ids: 'text',
    /** By member: number of the side, one byte each. */
    sides: 'bytes',
    sequence: 'number',
  },
  indexes: {},
  guard: 'sequence',
};

export const CONTEST_STANDINGS: CollectionDefinition = {
  name: 'contest_standings',
  key: 'contest_id',
  fields: {
    contest_id: 'text',
    partition: 'number',
    /** By member: points in all regular rounds; doubles. */
    points: 'bytes',
    /** By member: points in the round; doubles. */
    round_points: 'bytes',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const CONTEST_ROUNDS: CollectionDefinition = {
  name: 'contest_rounds',
  key: 'round_id',
  fields: {
    round_id: 'text',
    contest_id: 'text',
    partition: 'number',
    round: 'number',
    sudden_death: 'boolean',
    started_at_us: 'number',
    /** 0: it runs. */
    ended_at_us: 'number',
    /** 0: not yet. */
    reconciled_at_us: 'number',
    score_count: 'number',
    /** By side, joined by commas: points in the round; first as the writer had them at its end, then as the log says. */
    log_side_points: 'text',
    /** By side, joined by commas: points in all regular rounds by the log; empty: not reconciled. */
    log_side_totals: 'text',
    log_sequence: 'number',
    /** By side, joined by commas: what the read store had; empty: it was not asked. */
    read_side_points: 'text',
    read_side_totals: 'text',
    /** Up to where the read store had the partition; 0: it was not asked. */
    read_sequence: 'number',
    /** Why the read store was not asked. */
    not_compared: 'text',
    sequence: 'number',
  },
  indexes: { by_contest: ['contest_id', 'round'], by_partition: ['partition'] },
  guard: 'sequence',
};

/** Scores that a row has at most. */
export const SCORES_PER_ROW = 256;

/** Scores of a contest and round in one commit. What a row says depends on its commit alone. */
export const CONTEST_SCORES: CollectionDefinition = {
  name: 'contest_scores',
  key: 'scores_id',
  fields: {
    scores_id: 'text',
    contest_id: 'text',
    partition: 'number',
    round: 'number',
    /** 0, 1, 2 … in the commit. */
    part: 'number',
    recorded_at_us: 'number',
    /** sluice.contest.v1.ScoreRow. */
    scores: 'bytes',
    sequence: 'number',
  },
  indexes: { by_contest: ['contest_id', 'round', 'sequence', 'part'] },
};

/** A reward of a member. */
export const CONTEST_REWARDS: CollectionDefinition = {
  name: 'contest_rewards',
  key: 'reward_id',
  fields: {
    reward_id: 'text',
    contest_id: 'text',
    partition: 'number',
    /** Number of the member. */
    member: 'number',
    account_id: 'text',
    side: 'number',
    amount_minor: 'int64',
    /** OUTSTANDING, PAID or RETURNED. */
    state: 'text',
    /** Why the account refused it; empty: it did not. */
    reason: 'text',
    owed_at_us: 'number',
    /** 0: it is outstanding. */
    settled_at_us: 'number',
    sequence: 'number',
  },
  indexes: { by_contest: ['contest_id', 'member'], by_state: ['contest_id', 'state', 'member'] },
  guard: 'sequence',
};

/** A score that was submitted, with what became of it. */
export const CONTEST_SUBMISSIONS: CollectionDefinition = {
  name: 'contest_submissions',
  key: 'submission_id',
  fields: {
    submission_id: 'text',
    contest_id: 'text',
    partition: 'number',
    request_id: 'text',
    account_id: 'text',
    points: 'number',
    /** 0: not said. */
    scored_at_us: 'number',
    /** SUBMITTED, RECORDED or REFUSED. */
    state: 'text',
    /** Why it was refused; empty: it was not. */
    reason: 'text',
    /** That it counts in; 0: it is not recorded. */
    round: 'number',
    submitted_at_us: 'number',
    /** 0: its change task has not ended. */
    ended_at_us: 'number',
    sequence: 'number',
  },
  indexes: { by_contest: ['contest_id', 'submitted_at_us'], by_state: ['contest_id', 'state', 'submitted_at_us'] },
  guard: 'sequence',
};

/** What is pointed to comes first. */
export const CONTEST_COLLECTIONS: readonly CollectionDefinition[] = [
  CONTEST_ROSTERS,
  CONTEST_SCORES,
  CONTEST_ROUNDS,
  CONTEST_REWARDS,
  CONTEST_SUBMISSIONS,
  CONTEST_STANDINGS,
  CONTESTS,
];

/** Kind of aggregate by which contests are set aside. */
export const CONTEST_AGGREGATE = 'contest';

export function roundIdOf(contestId: string, round: number): string {
  return `${contestId}#${round}`;
}

export function scoresIdOf(contestId: string, sequence: number, part: number): string {
  return `${contestId}#${sequence}#${part}`;
}

export function rewardIdOf(contestId: string, member: number): string {
  return `${contestId}#${member}`;
}

/** The length of the contest's id keeps two ids apart. */
export function submissionIdOf(contestId: string, requestId: string): string {
  return `${contestId.length}:${contestId}${requestId}`;
}

export function contestOfSubmission(submissionId: string): string {
  const at = submissionId.indexOf(':') + 1;
  return submissionId.slice(at, at + Number(submissionId.slice(0, at - 1)));
}
