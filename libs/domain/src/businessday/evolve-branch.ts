/** A branch behind each of its events. */
import type { Branch, BranchEvent } from './branch';
import { stepOfRun, type PartitionProgress, type Run } from './branch-run';
import type { PlannedStep } from './branch-settings';

/** When an event was committed, and in a log of how many partitions. */
export interface BranchPlace {
  readonly atUs: number;
  readonly partitions: number;
}

const BEGINNING: PartitionProgress = { state: 'ASKED', from: 0n };
const DONE: PartitionProgress = { state: 'DONE', from: 0n };

/** Changes nothing in place: what follows from a decision is found by comparing the branch before and behind it. */
export function evolveBranch(branch: Branch, event: BranchEvent, place: BranchPlace): Branch {
  return { ...evolved(branch, event, place), version: branch.version + 1 };
}

function evolved(branch: Branch, event: BranchEvent, { atUs, partitions }: BranchPlace): Branch {
  switch (event.kind) {
    case 'registered':
      return { ...branch, settings: event.settings, cutTime: event.settings.calendar, ...datesWithoutRun(event, false) };
    case 'updated': {
      const cutTime = branch.settings?.automatic === true ? branch.cutTime : event.settings.calendar;
      return { ...branch, settings: event.settings, cutTime };
    }
    case 'datesSet':
      return { ...branch, cutTime: branch.settings?.calendar ?? branch.cutTime, ...datesWithoutRun(event, true) };
    case 'datesInForce':
      return { ...branch, inForce: true };
    case 'runBegun': {
      if (branch.settings === undefined) throw new Error(`a run of branch ${branch.branchId} begins, which is not registered`);
      const { date, nextDate, goal, untilDate, steps } = event;
      const nothingDone = { step: 0, partitions: undefined, stepBegunAtUs: 0, paused: false, terms: undefined, setAside: 0, stragglers: 0n };
      return { ...branch, run: { date, nextDate, goal, untilDate, steps, settings: branch.settings, ...nothingDone } };
    }
    case 'onlineDateMoved':
      return { ...branch, onlineDate: event.onlineDate, closedDate: event.date, onlineRun: event.date, inForce: false };
    case 'batchDateMoved':
      return { ...branch, batchDate: event.batchDate, batchRun: event.date, cutTime: branch.settings?.calendar ?? branch.cutTime, run: undefined };
    case 'goalRaised':
      return { ...branch, run: { ...underWay(branch), goal: event.goal, untilDate: event.untilDate } };
    case 'termsTaken':
      return { ...branch, run: { ...underWay(branch), terms: event.terms } };
    case 'stepBegun': {
      const run = { ...underWay(branch), step: event.step };
      const begun = asksPartitions(stepOfRun(run)) ? Array.from({ length: partitions }, () => BEGINNING) : [];
      return { ...branch, run: { ...run, partitions: begun, stepBegunAtUs: atUs, stragglers: 0n } };
    }
    case 'stepAdvanced':
      return { ...branch, run: advanced(underWay(branch), event) };
    case 'stepEnded':
      return { ...branch, run: { ...underWay(branch), step: event.step + 1, partitions: undefined } };
    case 'paused':
      return { ...branch, run: { ...underWay(branch), paused: true } };
    case 'resumed': {
      const run = underWay(branch);
      const goneOn = run.partitions?.map((progress): PartitionProgress => (progress.state === 'HELD' ? { ...progress, state: 'ASKED' } : progress));
      return { ...branch, run: { ...run, paused: false, partitions: goneOn } };
    }
    default:
      return event satisfies never;
  }
}

/** Whether the step asks anything of accounts. */
export function asksPartitions({ kind, job }: PlannedStep): boolean {
  return kind !== 'BEGIN' && job !== 'REPORTS';
}

function datesWithoutRun({ date, closedDate }: { readonly date: number; readonly closedDate: number }, byHand: boolean): Partial<Branch> {
  return { onlineDate: date, closedDate, batchDate: date, onlineRun: undefined, batchRun: undefined, inForce: false, byHand };
}

function advanced(run: Run, { partition, done, outstanding }: Extract<BranchEvent, { kind: 'stepAdvanced' }>): Run {
  const { kind } = stepOfRun(run);
  const partitions = [...(run.partitions ?? [])];
  partitions[partition] = progressed(kind, run.paused, done);
  const counted = kind === 'SEAL' && partitions.every(({ state }) => state === 'COUNTED');
  return {
    ...run,
    partitions: counted ? partitions.map((): PartitionProgress => ({ state: 'SEALING', from: 0n })) : partitions,
    setAside: run.setAside + done.setAside.length,
    stragglers: run.stragglers + outstanding,
  };
}

function progressed(kind: PlannedStep['kind'], paused: boolean, { complete, next }: { readonly complete: boolean; readonly next: bigint }): PartitionProgress {
  if (complete) return DONE;
  if (kind === 'SEAL') return { state: 'COUNTED', from: 0n };
  return { state: paused ? 'HELD' : 'ASKED', from: next };
}

function underWay({ branchId, run }: Branch): Run {
  if (run === undefined) throw new Error(`branch ${branchId} has an event of a run, and none is under way`);
  return run;
}
