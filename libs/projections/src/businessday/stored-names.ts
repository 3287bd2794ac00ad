/** Enums as rows have them: the names of their messages without what all of them begin with. */
import { businessdaypb } from '@sluice/protocol/businessday';

export type StoredRunState = 'RUNNING' | 'WAITING' | 'PAUSED' | 'ENDED';
export type StoredGoal = 'CUT' | 'BATCH' | 'BEGIN';
export type StoredStepKind = 'STAGE_ONE' | 'CUT' | 'SEAL' | 'ROLL' | 'JOB' | 'BEGIN';

export function storedGoal(goal: businessdaypb.RunGoal): StoredGoal {
  return stored(businessdaypb.RunGoal[goal], 'RUN_GOAL_') as StoredGoal;
}

export function storedStepKind(kind: businessdaypb.StepKind): StoredStepKind {
  return stored(businessdaypb.StepKind[kind], 'STEP_KIND_') as StoredStepKind;
}

/** Empty: none. */
export function storedJob(job: businessdaypb.Job): string {
  return job === businessdaypb.Job.JOB_UNSPECIFIED ? '' : stored(businessdaypb.Job[job], 'JOB_');
}

function stored(name: string | undefined, prefix: string): string {
  if (name === undefined || name === 'UNRECOGNIZED') throw new Error(`not a value of ${prefix}…`);
  return name.slice(prefix.length);
}
