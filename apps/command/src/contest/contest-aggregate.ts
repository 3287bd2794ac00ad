/** The contest as an aggregate of the engine: its messages, events, record and timer around the domain's decider. */
import {
  decideContest,
  decideSettled,
  evolveContest,
  gatherEvents,
  isReconciling,
  newContest,
  scoreTaskId,
  type Contest,
  type ContestAcceptance,
  type ContestCommand,
  type ContestEvent,
  type ContestTimer,
  type DueScoreTask,
} from '@sluice/domain/contest';
import type { AggregateDefinition, Consequences, Decision, TimerChange } from '@sluice/engine';
import { contestpb } from '@sluice/protocol/contest';
import type { ChangeTaskMethod } from '../command-capability';
import { contestEventCodec } from './contest-event-codec';
import {
  beginReconciliationMessage,
  cancelMessage,
  createMessage,
  endRoundInTimeMessage,
  endRoundMessage,
  executeScoreMessage,
  joinMessage,
  payRewardsMessage,
  reconcileMessage,
  scoreMessage,
  startMessage,
  submitScoreMessage,
  takeTransferMessage,
} from './contest-messages';
import { contestRecord } from './contest-record';
import { owedMoney, settledMoney } from './money-on-the-wire';
import { phaseToProto } from './rules-on-the-wire';

/** Names a contest in the log. */
export const CONTEST = { capability: 'contest', aggregate: 'contest' } as const;
/** The end of the round, its reconciliation, or the next rewards: one of them. */
const TIMER_ID = 'next';
const EXECUTE_SCORE = 'ExecuteScore';
/** Submitted scores. */
export const scoreTasks: ChangeTaskMethod = {
  method: EXECUTE_SCORE,
  read: (payload) => {
    const { requestId, submittedAtUs, attempts, reason } = contestpb.ExecuteScore.decode(payload);
    return { taskId: scoreTaskId(requestId), takenAtUs: Number(submittedAtUs), attempts, reason };
  },
};
const TIMER_METHODS = {
  endRoundInTime: { method: 'EndRoundInTime', codec: contestpb.EndRoundInTime },
  beginReconciliation: { method: 'BeginReconciliation', codec: contestpb.BeginReconciliation },
  payRewards: { method: 'PayRewards', codec: contestpb.PayRewards },
} as const;

/** @param reconcile sums a round from the log; called when it is durable that the round is to be summed. It must not throw. */
export const contestAggregate = (reconcile: (contestId: string, round: number) => void): AggregateDefinition<Contest, ContestCommand, ContestEvent> => ({
  ...CONTEST,
  record: contestRecord,
  events: contestEventCodec,
  commands: {
    CreateContest: createMessage,
    JoinContest: joinMessage,
    StartContest: startMessage,
    Score: scoreMessage,
    SubmitScore: submitScoreMessage,
    [EXECUTE_SCORE]: executeScoreMessage,
    EndRound: endRoundMessage,
    CancelContest: cancelMessage,
    EndRoundInTime: endRoundInTimeMessage,
    BeginReconciliation: beginReconciliationMessage,
    ReconcileRound: reconcileMessage,
    PayRewards: payRewardsMessage,
    TakeTransfer: takeTransferMessage,
  },
  initialState: newContest,
  decide: (contest, command, { committedAtUs }): Decision<ContestEvent> => {
    const decision = decideContest(contest, command, committedAtUs);
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: decision.recorded };
    const { contestId } = contest;
    const sums = command.kind === 'beginReconciliation' && isReconciling(contest, command.round);
    return {
      accepted: true,
      ...consequences(contest, decision),
      reply: replyOf(contest, command, decision.events),
      ...(sums ? { handOut: () => reconcile(contestId, command.round) } : undefined),
    };
  },
  evolve: evolveContest,
  gather: gatherEvents,
  settled: (contest, delivery, { committedAtUs }) => consequences(contest, decideSettled(contest, settledMoney(delivery), committedAtUs)),
});

function consequences(contest: Contest, { events, timer, dueTask, money }: ContestAcceptance): Consequences<ContestEvent> {
  return {
    events,
    ...(timer === undefined ? undefined : { timers: [timerChange(contest.contestId, timer)] }),
    ...(dueTask === undefined ? undefined : { timers: [taskTimer(contest.contestId, dueTask)] }),
    ...(money === undefined ? undefined : { owes: money.map((order) => owedMoney(contest, order)) }),
  };
}

function timerChange(contestId: string, timer: ContestTimer): TimerChange {
  if (timer.kind === 'cancel') return { kind: 'cancel', timerId: TIMER_ID };
  const { command, round, dueAtUs } = timer;
  const { method, codec } = TIMER_METHODS[command];
  return { kind: 'set', timerId: TIMER_ID, dueAtUs, method, payload: codec.encode({ contestId, round }).finish() };
}

/** A decision about a task changes no other timer. */
function taskTimer(contestId: string, { task, dueAtUs }: DueScoreTask): TimerChange {
  const { points, scoredAtUs, submittedAtUs, ...rest } = task;
  const payload = { ...rest, contestId, points: BigInt(points), scoredAtUs: BigInt(scoredAtUs), submittedAtUs: BigInt(submittedAtUs) };
  return { kind: 'set', timerId: scoreTaskId(task.requestId), dueAtUs, method: EXECUTE_SCORE, payload: contestpb.ExecuteScore.encode(payload).finish() };
}

const UNTOLD = { repeated: false, positionToken: '' };

/** The response of the command, as the events say it. */
function replyOf(contest: Contest, command: ContestCommand, events: readonly ContestEvent[]): Uint8Array | undefined {
  switch (command.kind) {
    case 'create': {
      const memberCount = command.sides.reduce((count, { accountIds }) => count + accountIds.length, 0);
      return contestpb.CreateContestResponse.encode({ ...UNTOLD, memberCount }).finish();
    }
    case 'join': {
      const side = contest.sideIds.indexOf(command.sideId);
      const memberCount = (contest.sideMemberCounts[side] as number) + command.accountIds.length;
      return contestpb.JoinContestResponse.encode({ ...UNTOLD, memberCount }).finish();
    }
    case 'start':
      return startReply(events);
    case 'submitScore':
      return contestpb.SubmitScoreResponse.encode({ ...UNTOLD, taskId: scoreTaskId(command.requestId) }).finish();
    case 'score':
      return scoreReply(eventOf(events, 'scored'));
    case 'endRound': {
      const { sidePoints } = eventOf(events, 'roundEnded');
      const sides = contest.sideIds.map((sideId, side) => ({ sideId, points: BigInt(sidePoints[side] as number) }));
      return contestpb.EndRoundResponse.encode({ ...UNTOLD, sides }).finish();
    }
    case 'cancel':
      return contestpb.CancelContestResponse.encode(UNTOLD).finish();
    case 'executeScore':
    case 'endRoundInTime':
    case 'beginReconciliation':
    case 'reconcile':
    case 'payRewards':
    case 'invalidGift':
      return undefined;
    default:
      return command satisfies never;
  }
}

/** A contest with a reward waits for its fund first. */
function startReply(events: readonly ContestEvent[]): Uint8Array {
  const started = events.find((event) => event.kind === 'roundStarted');
  const phase = phaseToProto(started === undefined ? 'STARTING' : 'RUNNING');
  return contestpb.StartContestResponse.encode({ ...UNTOLD, roundEndsAtUs: BigInt(started?.endsAtUs ?? 0), phase }).finish();
}

function scoreReply({ round, scores: [score] }: Extract<ContestEvent, { kind: 'scored' }>): Uint8Array {
  if (score === undefined) throw new Error('a score was accepted and not recorded');
  const { roundPoints, totalPoints, sideRoundPoints } = score;
  return contestpb.ScoreResponse.encode({
    round,
    roundPoints: BigInt(roundPoints),
    totalPoints: BigInt(totalPoints),
    sideRoundPoints: BigInt(sideRoundPoints),
    // A spread here takes longer than the encoding.
    repeated: UNTOLD.repeated,
    positionToken: UNTOLD.positionToken,
  }).finish();
}

function eventOf<Kind extends ContestEvent['kind']>(events: readonly ContestEvent[], kind: Kind): Extract<ContestEvent, { kind: Kind }> {
  const found = events.find((event): event is Extract<ContestEvent, { kind: Kind }> => event.kind === kind);
  if (found === undefined) throw new Error(`a decision without the event ${kind}`);
  return found;
}
