/** The branch as an aggregate of the engine: its dates and its end of day. */
import {
  branchAnswered,
  decideBranch,
  evolveBranch,
  newBranch,
  type Branch,
  type BranchCommand,
  type BranchConsequences,
  type BranchEvent,
  type BranchPlace,
  type BranchTimer,
} from '@sluice/domain/businessday';
import type { AggregateDefinition, Consequences, Decision, TimerChange } from '@sluice/engine';
import { businessdaypb } from '@sluice/protocol/businessday';
import { answerOf, owedAsk } from './asks-on-the-wire';
import { branchEventCodec } from './branch-event-codec';
import {
  againToProto,
  askAgainMessage,
  beginDayMessage,
  cutDayMessage,
  cutDueMessage,
  pauseBatchMessage,
  registerBranchMessage,
  resumeBatchMessage,
  runBatchMessage,
  runEndOfDayMessage,
  setDatesMessage,
  updateBranchMessage,
} from './branch-messages';
import { BRANCH } from './business-day-names';
import { branchRecord } from './business-day-records';
import { replyOf } from './business-day-reply';

const CUT_TIMER = 'cut';

export interface BranchAggregateOptions {
  /** Of the log. */
  readonly partitions: number;
  /** What happened to a branch is durable. Must not throw. */
  readonly happened: (branchId: string, events: readonly BranchEvent[]) => void;
  /** A partition, or the catalogue, has refused what the branch asked of it. Must not throw. */
  readonly refused: (branchId: string, method: string, reason: string, partition: number) => void;
}

export function branchAggregate({ partitions, happened, refused }: BranchAggregateOptions): AggregateDefinition<Branch, BranchCommand, BranchEvent> {
  const placeAt = (atUs: number): BranchPlace => ({ atUs, partitions });
  const consequences = ({ branchId }: Branch, { events, asks, timers }: BranchConsequences): Consequences<BranchEvent> => ({
    events,
    owes: asks.map((ask) => owedAsk(branchId, ask)),
    timers: timers.map((timer) => timerChange(branchId, timer)),
    ...(events.length > 0 && { handOut: () => happened(branchId, events) }),
  });
  return {
    ...BRANCH,
    record: branchRecord,
    events: branchEventCodec,
    commands: {
      RegisterBranch: registerBranchMessage,
      UpdateBranch: updateBranchMessage,
      CutDay: cutDayMessage,
      RunBatch: runBatchMessage,
      BeginDay: beginDayMessage,
      RunEndOfDay: runEndOfDayMessage,
      SetDates: setDatesMessage,
      PauseBatch: pauseBatchMessage,
      ResumeBatch: resumeBatchMessage,
      CutDue: cutDueMessage,
      AskAgain: askAgainMessage,
    },
    initialState: newBranch,
    decide: (branch, command, { committedAtUs }): Decision<BranchEvent> => {
      const decision = decideBranch(branch, command, placeAt(committedAtUs));
      if (!decision.accepted) {
        const { rejection: reason, recorded, field } = decision;
        return { accepted: false, reason, recorded, ...(field !== undefined && { metadata: { field } }) };
      }
      return { accepted: true, ...consequences(branch, decision), reply: replyOf(decision.branch) };
    },
    // Runs under way.
    total: ({ run }) => (run === undefined ? 0 : 1),
    evolve: (branch, event, { committedAtUs }) => evolveBranch(branch, event, placeAt(committedAtUs)),
    settled: (branch, delivery, { committedAtUs }) => {
      const { accepted, method, reason, partition } = delivery;
      const followed = consequences(branch, branchAnswered(branch, answerOf(delivery), placeAt(committedAtUs)));
      return accepted ? followed : { ...followed, handOut: () => refused(branch.branchId, method, reason, partition) };
    },
  };
}

function timerChange(branchId: string, timer: BranchTimer): TimerChange {
  switch (timer.kind) {
    case 'cut': {
      const payload = businessdaypb.CutDue.encode({ branchId, date: timer.date }).finish();
      return { kind: 'set', timerId: CUT_TIMER, dueAtUs: timer.dueAtUs, method: 'CutDue', payload };
    }
    case 'noCut':
      return { kind: 'cancel', timerId: CUT_TIMER };
    case 'askAgain': {
      const { again, dueAtUs } = timer;
      const timerId = again.what === 'terms' ? 'ask/terms' : `ask/${again.partition}`;
      return { kind: 'set', timerId, dueAtUs, method: 'AskAgain', payload: businessdaypb.AskAgain.encode(againToProto(branchId, again)).finish() };
    }
    default:
      return timer satisfies never;
  }
}
