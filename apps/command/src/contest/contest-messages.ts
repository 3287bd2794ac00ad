/** The messages of contests as commands of the domain: their keys, ids and shape checks. */
import { MAXIMUM_POINTS, problemOfSides, REWARDS_PER_STEP, type ContestCommand, type SubmittedScore } from '@sluice/domain/contest';
import { commandMessage } from '@sluice/engine';
import { logpb, MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { contestpb } from '@sluice/protocol/contest';
import { checkText, invalidRequest } from '@sluice/service';
import { readTotalsFromProto } from './contest-event-codec';
import { rulesOfRequest } from './rules-on-the-wire';

const KEY_FIELD = 'contest_id';
const MAXIMUM_SIDE_ID_BYTES = 64;
const MAXIMUM_TEXT_BYTES = 256;
const MAXIMUM_JOINING = 10_000;
/** What the end of a round, its reconciliation and the reply take of a commit at most: some numbers and an id for each of 64 sides. */
const ROUND_BYTES = 16 << 10;

/** What one reward takes of a commit at most: member and account in the event, its delivery with ids and metadata of at most 128 bytes each. */
const REWARD_BYTES = 2 << 10;

interface OfContest {
  readonly contestId: string;
}
interface Requested extends OfContest {
  readonly requestId: string;
}

const key = ({ contestId }: OfContest): string => contestId;
const requestId = ({ requestId: id }: Requested): string => id;
/** Of what a timer asks: the engine knows its id. */
const noRequestId = (): string => '';

export const createMessage = commandMessage<contestpb.CreateContestRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.CreateContestRequest',
  codec: contestpb.CreateContestRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ rules: asked, sides, title }) => {
    checkText(title, 'title', 0, MAXIMUM_TEXT_BYTES);
    for (const [at, { sideId, accountIds }] of sides.entries()) {
      checkText(sideId, `sides[${at}].side_id`, 1, MAXIMUM_SIDE_ID_BYTES);
      checkAccounts(`sides[${at}].account_ids`, accountIds);
    }
    const rules = rulesOfRequest(asked);
    const problem = problemOfSides(sides, rules);
    if (problem !== undefined) throw invalidRequest(problem.field, problem.problem);
    return { kind: 'create', rules, sides, title };
  },
});

export const joinMessage = commandMessage<contestpb.JoinContestRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.JoinContestRequest',
  codec: contestpb.JoinContestRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ sideId, accountIds }) => {
    checkText(sideId, 'side_id', 1, MAXIMUM_SIDE_ID_BYTES);
    const { length } = accountIds;
    if (length < 1 || length > MAXIMUM_JOINING) throw invalidRequest('account_ids', `has ${length} accounts; it must have 1 to ${MAXIMUM_JOINING}`);
    checkAccounts('account_ids', accountIds);
    if (new Set(accountIds).size < length) throw invalidRequest('account_ids', 'has an account twice');
    return { kind: 'join', sideId, accountIds };
  },
});

export const startMessage = commandMessage<contestpb.StartContestRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.StartContestRequest',
  codec: contestpb.StartContestRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: () => ({ kind: 'start' }),
});

export const scoreMessage = commandMessage<contestpb.ScoreRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.ScoreRequest',
  codec: contestpb.ScoreRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: (request) => {
    checkScore(request);
    const { requestId: id, accountId, points, scoredAtUs } = request;
    return { kind: 'score', requestId: id, accountId, points: Number(points), scoredAtUs: Number(scoredAtUs) };
  },
});

/** A transfer to the contest. Any account's owner can order one: what is wrong with it is a rejection, which refunds it. */
export const takeTransferMessage = commandMessage<logpb.IncomingTransfer, ContestCommand>({
  messageName: 'sluice.log.v1.IncomingTransfer',
  codec: logpb.IncomingTransfer,
  keyField: KEY_FIELD,
  key: ({ credit }) => credit?.key ?? '',
  requestId: ({ credit }) => credit?.requestId ?? '',
  command: giftIn,
});

function giftIn({ credit }: logpb.IncomingTransfer): ContestCommand {
  if (credit === undefined) return { kind: 'invalidGift' };
  const { requestId: id, fromAccountId: giverAccountId, amountMinor, unit, order } = credit;
  let gift: contestpb.GiftOrder;
  try {
    gift = contestpb.GiftOrder.decode(order);
  } catch {
    return { kind: 'invalidGift' };
  }
  const { accountId, points, scoredAtUs } = gift;
  if (points < 1n || points > MAXIMUM_POINTS || scoredAtUs < 0n || scoredAtUs > Number.MAX_SAFE_INTEGER) return { kind: 'invalidGift' };
  return { kind: 'score', requestId: id, accountId, points: Number(points), scoredAtUs: Number(scoredAtUs), gift: { giverAccountId, amountMinor, unit } };
}

export const payRewardsMessage = commandMessage<contestpb.PayRewards, ContestCommand>({
  messageName: 'sluice.contest.v1.PayRewards',
  codec: contestpb.PayRewards,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: () => ({ kind: 'payRewards' }),
  recordBytes: () => ROUND_BYTES + REWARDS_PER_STEP * REWARD_BYTES,
});

export const submitScoreMessage = commandMessage<contestpb.SubmitScoreRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.SubmitScoreRequest',
  codec: contestpb.SubmitScoreRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: (request) => ({ kind: 'submitScore', ...scoreOf(request) }),
});

export const executeScoreMessage = commandMessage<contestpb.ExecuteScore, ContestCommand>({
  messageName: 'sluice.contest.v1.ExecuteScore',
  codec: contestpb.ExecuteScore,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: (task) => ({ kind: 'executeScore', ...scoreOf(task), submittedAtUs: Number(task.submittedAtUs), attempts: task.attempts, reason: task.reason }),
});

type SentScore = Pick<contestpb.ScoreRequest, 'requestId' | 'accountId' | 'points' | 'scoredAtUs'>;

function scoreOf(sent: SentScore): SubmittedScore {
  checkScore(sent);
  return { requestId: sent.requestId, accountId: sent.accountId, points: Number(sent.points), scoredAtUs: Number(sent.scoredAtUs) };
}

function checkScore({ accountId, points, scoredAtUs }: SentScore): void {
  checkText(accountId, 'account_id', 1, MAXIMUM_ID_BYTES);
  if (points < 1n || points > MAXIMUM_POINTS) throw invalidRequest('points', `is ${points}; it must be 1 to ${MAXIMUM_POINTS}`);
  if (scoredAtUs < 0n || scoredAtUs > Number.MAX_SAFE_INTEGER)
    throw invalidRequest('scored_at_us', `is ${scoredAtUs}; it must be 0 to ${Number.MAX_SAFE_INTEGER}`);
}

export const endRoundMessage = commandMessage<contestpb.EndRoundRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.EndRoundRequest',
  codec: contestpb.EndRoundRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ round }) => {
    if (round === 0) throw invalidRequest('round', 'is 0; rounds are counted from 1 on');
    return { kind: 'endRound', round };
  },
  recordBytes: () => ROUND_BYTES,
});

export const cancelMessage = commandMessage<contestpb.CancelContestRequest, ContestCommand>({
  messageName: 'sluice.contest.v1.CancelContestRequest',
  codec: contestpb.CancelContestRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ note }) => {
    checkText(note, 'note', 0, MAXIMUM_TEXT_BYTES);
    return { kind: 'cancel', note };
  },
});

export const endRoundInTimeMessage = commandMessage<contestpb.EndRoundInTime, ContestCommand>({
  messageName: 'sluice.contest.v1.EndRoundInTime',
  codec: contestpb.EndRoundInTime,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ round }) => ({ kind: 'endRoundInTime', round }),
});

export const beginReconciliationMessage = commandMessage<contestpb.BeginReconciliation, ContestCommand>({
  messageName: 'sluice.contest.v1.BeginReconciliation',
  codec: contestpb.BeginReconciliation,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ round }) => ({ kind: 'beginReconciliation', round }),
});

export const reconcileMessage = commandMessage<contestpb.ReconcileRound, ContestCommand>({
  messageName: 'sluice.contest.v1.ReconcileRound',
  codec: contestpb.ReconcileRound,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ round, sidePoints, scoreCount, sequence, read, notCompared }) => ({
    kind: 'reconcile',
    round,
    log: { sidePoints: sidePoints.map(Number), scoreCount: Number(scoreCount), sequence: Number(sequence) },
    read: read && readTotalsFromProto(read),
    notCompared,
  }),
  recordBytes: () => ROUND_BYTES,
});

function checkAccounts(field: string, accountIds: readonly string[]): void {
  for (const [at, accountId] of accountIds.entries()) checkText(accountId, `${field}[${at}]`, 1, MAXIMUM_ID_BYTES);
}
