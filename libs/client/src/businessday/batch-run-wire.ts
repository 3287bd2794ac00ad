/** Ends of day from the messages that travel. */
import { businessdaypb } from '@sluice/protocol/businessday';
import { nameOfValue } from '../enum-wire';
import { expectedPart } from '../expected-part';
import { SluiceError } from '../sluice-error';
import { timeFromWire } from '../time-wire';
import { type BatchRun, RUN_GOALS, type RunStep, STEP_KINDS } from './batch-run';
import { jobFromWire, runStateFromWire } from './business-day-wire';

export function runFromWire(run: businessdaypb.BatchRun | undefined): BatchRun {
  const { state: wireState, goal, steps, begunAt, endedAt, setAsideCount, stragglers, ...said } = expectedPart(run);
  const state = runStateFromWire(wireState);
  if (state === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: `run ${said.runId} has a state that this library does not know` });
  return {
    ...said,
    state,
    goal: nameOfValue(RUN_GOALS, businessdaypb.RunGoal, 'RUN_GOAL_', goal),
    steps: steps.map(stepFromWire),
    begunAt: timeFromWire(begunAt),
    endedAt: timeFromWire(endedAt),
    setAsideCount: Number(setAsideCount),
    stragglers: Number(stragglers),
  };
}

function stepFromWire({ kind, job, begunAt, endedAt, remainingMs, ...said }: businessdaypb.RunStep): RunStep {
  return {
    ...said,
    kind: nameOfValue(STEP_KINDS, businessdaypb.StepKind, 'STEP_KIND_', kind),
    job: jobFromWire(job),
    begunAt: timeFromWire(begunAt),
    endedAt: timeFromWire(endedAt),
    remainingMs: Number(remainingMs),
  };
}
