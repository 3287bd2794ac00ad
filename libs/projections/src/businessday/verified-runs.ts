/** What rows of runs must say: what the events of a run say is kept step by step, and the fields are worked out of it at the end. */
import type { FieldValue, Row } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { rowKind } from '../row-verification';
import { BATCH_RUNS, LISTED_SET_ASIDE, RUN_AGGREGATE } from './collections';
import { branchOf, type Messages, nameOf, readOneOf, runKey } from './verified-events';

const { RunGoal, StepKind, Job } = businessdaypb;

/** What the partitions did of a step. */
interface StepSums {
  newestAtUs: number;
  lookedAt: bigint;
  changed: bigint;
  readonly accounts: Map<number, bigint>;
}

/** What has happened to a run. */
export interface VerifiedRun {
  readonly begun: businessdaypb.RunBegun;
  readonly begunAtUs: number;
  goal: businessdaypb.RunGoal;
  paused: boolean;
  ended: { readonly atUs: number; readonly reason: string } | undefined;
  readonly stepsBegun: Map<number, number>;
  readonly stepsEnded: Map<number, number>;
  readonly advances: Map<number, StepSums>;
  readonly setAside: string[];
  stragglers: bigint;
}

/** Whether it waits for a further goal, or for a day begin that is forced. */
function isResting({ begun: { steps }, goal, stepsEnded, setAside }: VerifiedRun): boolean {
  if (goal === RunGoal.RUN_GOAL_BEGIN && setAside.length === 0) return false;
  const cut = steps.findIndex(({ kind }) => kind === StepKind.STEP_KIND_CUT);
  const needed = steps.map((_step, at) => at).filter((at) => (goal === RunGoal.RUN_GOAL_CUT ? at <= cut : steps[at]?.kind !== StepKind.STEP_KIND_BEGIN));
  return needed.every((at) => stepsEnded.has(at));
}

export function verifiedStateOf(run: VerifiedRun): string {
  if (run.ended !== undefined) return 'ENDED';
  if (run.paused) return 'PAUSED';
  return isResting(run) ? 'WAITING' : 'RUNNING';
}

export function beginRun(begun: businessdaypb.RunBegun, atUs: number): VerifiedRun {
  const { goal } = begun;
  const none = {
    stepsBegun: new Map<number, number>(),
    stepsEnded: new Map<number, number>(),
    advances: new Map<number, StepSums>(),
    setAside: [],
    stragglers: 0n,
  };
  return { begun, begunAtUs: atUs, goal, paused: false, ended: undefined, ...none };
}

export const RUN_EVENTS = ['GoalRaised', 'StepBegun', 'StepAdvanced', 'StepEnded', 'BatchDateMoved', 'BatchPaused', 'BatchResumed'] as const;

export function takeIntoRun(run: VerifiedRun, recorded: EventRecord, commit: DecodedCommit): VerifiedRun {
  const atUs = commit.committedAtUs;
  const read = <Name extends keyof Messages>(name: Name): Messages[Name] | undefined => businessDayEvents.readOnly(name, recorded, commit) as Messages[Name];
  run.goal = read('GoalRaised')?.goal ?? run.goal;
  const stepBegun = read('StepBegun');
  if (stepBegun !== undefined) run.stepsBegun.set(stepBegun.step, atUs);
  const stepEnded = read('StepEnded');
  if (stepEnded !== undefined) {
    run.stepsEnded.set(stepEnded.step, atUs);
    run.stragglers += stepEnded.stragglers;
  }
  const advanced = read('StepAdvanced');
  if (advanced !== undefined) {
    const { step, partition, done } = advanced;
    const sums: StepSums = run.advances.get(step) ?? { newestAtUs: 0, lookedAt: 0n, changed: 0n, accounts: new Map() };
    run.advances.set(step, sums);
    sums.newestAtUs = atUs;
    sums.lookedAt += done?.lookedAt ?? 0n;
    sums.changed += done?.changed ?? 0n;
    if (done !== undefined) sums.accounts.set(partition, done.accounts);
    for (const { accountId, reason } of done?.setAside ?? []) run.setAside.push(JSON.stringify([accountId, step, reason]));
  }
  const moved = read('BatchDateMoved');
  if (moved !== undefined) run.ended = { atUs, reason: moved.forcedReason };
  if (read('BatchPaused') !== undefined) run.paused = true;
  if (read('BatchResumed') !== undefined || moved !== undefined) run.paused = false;
  return run;
}

function stepFields(run: VerifiedRun): string {
  return JSON.stringify(
    run.begun.steps.map(({ kind, job }, at) => {
      const { newestAtUs = 0, lookedAt = 0n, changed = 0n, accounts = new Map<number, bigint>() } = run.advances.get(at) ?? {};
      const times = [run.stepsBegun.get(at) ?? 0, newestAtUs, run.stepsEnded.get(at) ?? 0];
      const sorted = [...accounts].map(([partition, count]) => [partition, Number(count)] as const).sort(([one], [other]) => one - other);
      const jobName = job === Job.JOB_UNSPECIFIED ? '' : nameOf(Job, job);
      return [nameOf(StepKind, kind), jobName, ...times, Number(lookedAt), Number(changed), sorted];
    }),
  );
}

interface StoredStep {
  readonly kind: string;
  readonly job: string;
  readonly begunAtUs: number;
  readonly advancedAtUs: number;
  readonly endedAtUs: number;
  readonly done: number;
  readonly changed: number;
  readonly accounts: Readonly<Record<string, number>>;
}

/** Steps and accounts that were set aside, in the form of the fold. */
function storedRun(row: Row): Readonly<Record<string, FieldValue>> {
  const steps = (JSON.parse(row.steps as string) as StoredStep[]).map(({ kind, job, begunAtUs, advancedAtUs, endedAtUs, done, changed, accounts }) => {
    const sorted = Object.entries(accounts)
      .map(([partition, count]) => [Number(partition), count] as const)
      .sort(([one], [other]) => one - other);
    return [kind, job, begunAtUs, advancedAtUs, endedAtUs, done, changed, sorted];
  });
  const setAside = JSON.parse(row.set_aside as string) as { readonly accountId: string; readonly step: number; readonly reason: string }[];
  return {
    ...row,
    steps: JSON.stringify(steps),
    set_aside: setAside.map(({ accountId, step, reason }) => JSON.stringify([accountId, step, reason])).join(),
  };
}

export const verifiedRunRows = rowKind<VerifiedRun>({
  aggregate: RUN_AGGREGATE,
  collection: BATCH_RUNS,
  partitionKey: branchOf,
  counted: 'batch runs',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const begun = businessDayEvents.readOnly('RunBegun', event, commit);
      if (begun !== undefined) change(runKey(begun), () => beginRun(begun, commit.committedAtUs));
      const message = readOneOf(RUN_EVENTS, event, commit);
      if (message === undefined) continue;
      change(runKey(message), (run) => {
        if (run === undefined) throw new Error(`${runKey(message)} has events before it began`);
        return takeIntoRun(run, event, commit);
      });
    }
  },
  row: (run) => ({
    branch_id: run.begun.branchId,
    date: run.begun.date,
    next_date: run.begun.nextDate,
    state: verifiedStateOf(run),
    goal: nameOf(RunGoal, run.goal),
    begun_at_us: run.begunAtUs,
    ended_at_us: run.ended?.atUs ?? 0,
    steps: stepFields(run),
    set_aside: run.setAside.slice(0, LISTED_SET_ASIDE).join(),
    set_aside_count: run.setAside.length,
    stragglers: Number(run.stragglers),
    forced_reason: run.ended?.reason ?? '',
  }),
  stored: storedRun,
});
