/**
 * How a run stands, as its events say it:
 *
 *   RUNNING  steps up to its goal are missing
 *   WAITING  the last of them has ended, and the goal is not the day begin; or nothing but the day begin is missing, and accounts were set aside: it has to be forced
 *   PAUSED   from BatchPaused to BatchResumed
 *   ENDED    from BatchDateMoved on
 */
import type { StoredGoal, StoredRunState, StoredStepKind } from './stored-names';

export interface RunStanding {
  readonly goal: StoredGoal;
  /** Kinds of its steps, in order. They end in this order. */
  readonly kinds: readonly StoredStepKind[];
  readonly stepsEnded: number;
  readonly paused: boolean;
  /** Accounts that its steps have set aside. */
  readonly setAside: number;
}

/** The state of a run that has not ended. */
export function runStateOf({ goal, kinds, stepsEnded, paused, setAside }: RunStanding): Exclude<StoredRunState, 'ENDED'> {
  if (paused) return 'PAUSED';
  const wanted = goal === 'CUT' ? kinds.indexOf('CUT') + 1 : kinds.length - 1;
  const rests = goal !== 'BEGIN' || setAside > 0;
  return rests && stepsEnded >= wanted ? 'WAITING' : 'RUNNING';
}
