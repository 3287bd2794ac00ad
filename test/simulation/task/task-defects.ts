/** Defects of queues, leases and time limits. */
import type { taskpb } from '@sluice/protocol/task';
import { QueueWork } from '../../../apps/command/src/task/queue-work';
import { QueuesState } from '../../../apps/command/src/task/queues-state';
import { DueHeap } from '../../../libs/domain/src/task/due-heap';
import { DUE, TaskQueue } from '../../../libs/domain/src/task/queue';
import { Partition } from '../../../libs/engine/src/partition/partition';
import type { Defect } from '../defects/defect';
import { replaceMethod } from '../defects/replace-method';

interface Work {
  stateOf(partition: number): QueuesState | undefined;
  start(partition: number, take: unknown): Promise<unknown>;
  startOffered(turn: OfferedTurn, ...others: readonly unknown[]): number;
}

interface OfferedTurn {
  readonly sequence: number;
  readonly submissions: OneTurn[];
}

interface Engine {
  submit(submission: OneTurn): void;
}

interface OneTurn {
  decide(turn: { readonly sequence: number }): void;
  settle(sequence: number): void;
}

export const taskDefects = {
  'take-any-lease': {
    what: 'A completion counts for the attempt that runs, whatever its lease token says.',
    foundWithin: 20,
    workload: 'tasks',
    plant: () =>
      replaceMethod(
        QueueWork.prototype,
        'report',
        (report) =>
          async function (this: QueueWork, partition: number, { completions, ...others }: taskpb.WorkRequest) {
            const state = (this as unknown as Work).stateOf(partition);
            const own = new Map<string, taskpb.Lease>();
            const forged = completions.map(({ lease, result, ranUs }) => {
              if (state === undefined || lease === undefined) return { lease, result, ranUs };
              const leaseToken = tokenInForce(state, lease.taskId) ?? lease.leaseToken;
              own.set(lease.taskId, lease);
              return { lease: { ...lease, leaseToken }, result, ranUs };
            });
            const reported = await report.call(this, partition, { ...others, completions: forged });
            const verdicts = reported.verdicts.map((verdict) => ({ ...verdict, lease: own.get(verdict.lease?.taskId ?? '') ?? verdict.lease }));
            return { ...reported, verdicts };
          },
      ),
  },
  'hand-out-before-durable': {
    what: 'A task is handed to its worker when its start is decided, not when that is durable.',
    foundWithin: 400,
    workload: 'tasks',
    plant: () => {
      let takes = false;
      const takeOut = replaceMethod(
        QueueWork.prototype as never as Work,
        'start',
        (start) =>
          function (this: Work, partition: number, take: unknown) {
            takes = true;
            // It submits before it waits for anything.
            const taking = start.call(this, partition, take);
            takes = false;
            return taking;
          },
      );
      const putBack = replaceMethod(
        Partition.prototype as never as Engine,
        'submit',
        (submit) =>
          function (this: Engine, submission: OneTurn) {
            const decide = submission.decide.bind(submission);
            if (takes)
              submission.decide = (turn) => {
                decide(turn);
                submission.settle(turn.sequence);
              };
            submit.call(this, submission);
          },
      );
      const takeBack = replaceMethod(
        QueueWork.prototype as never as Work,
        'startOffered',
        (startOffered) =>
          function (this: Work, turn: OfferedTurn, ...others: readonly unknown[]) {
            const before = turn.submissions.length;
            const count = startOffered.call(this, turn, ...others);
            for (const submission of turn.submissions.slice(before)) submission.settle(turn.sequence);
            return count;
          },
      );
      return () => {
        takeOut();
        putBack();
        takeBack();
      };
    },
  },
  'forget-serial-keys': {
    what: 'A new owner does not know which keys have an attempt under way.',
    foundWithin: 20,
    workload: 'tasks',
    plant: () =>
      replaceMethod(
        QueuesState.prototype,
        'begin',
        (begin) =>
          function (this: QueuesState, ...values: Parameters<QueuesState['begin']>) {
            const { isServing } = this as unknown as { readonly isServing: boolean };
            begin.apply(this, values);
            if (isServing) return;
            for (const { queue } of this.entries.values()) {
              for (const key of queue.keys.values()) {
                key.gate.running = 0;
                queue.offerFirst(key);
              }
            }
          },
      ),
  },
  'forget-a-time-limit': {
    what: 'One attempt in three has no time limit.',
    foundWithin: 40,
    workload: 'tasks',
    plant: () =>
      replaceMethod(
        DueHeap.prototype,
        'push',
        (push) =>
          function (this: DueHeap, timeUs: number, number: number, kind: number) {
            if (kind !== DUE.START_TO_FINISH || number % 3 !== 0) push.call(this, timeUs, number, kind);
          },
      ),
  },
  'start-before-its-time': {
    what: 'Delays, and pauses after failures, are not waited for.',
    foundWithin: 10,
    workload: 'tasks',
    plant: () =>
      replaceMethod(
        TaskQueue.prototype as never as { wait(slot: number, nowUs: number): void },
        'wait',
        () =>
          function (this: unknown, slot: number) {
            (this as TaskQueue).makeReady(slot);
          },
      ),
  },
} satisfies Record<string, Defect>;

function tokenInForce({ entries }: QueuesState, taskId: string): string | undefined {
  const slash = taskId.lastIndexOf('/');
  const tasks = entries.get(taskId.slice(0, slash))?.queue.tasks;
  const slot = tasks?.slotOf(Number(taskId.slice(slash + 1))) ?? -1;
  return slot === -1 || tasks === undefined ? undefined : `${tasks.numbers[slot]}.${tasks.attempts[slot]}.${tasks.startedSequences[slot]}`;
}
