/** The transition table, row by row. */
import { hasEnded, stateAfter, TASK_CHANGES, TASK_STATES, type TaskChange, type TaskState, versionOf } from './task-state';

const NONE = undefined;

test.each`
  state          | START        | RETURN       | RETRY        | COMPLETE       | FAIL        | TIME_LIMIT  | CANCEL
  ${'SUBMITTED'} | ${'RUNNING'} | ${NONE}      | ${NONE}      | ${NONE}        | ${NONE}     | ${'FAILED'} | ${'CANCELLED'}
  ${'RUNNING'}   | ${'RUNNING'} | ${'RUNNING'} | ${'RUNNING'} | ${'SUCCEEDED'} | ${'FAILED'} | ${'FAILED'} | ${'CANCELLED'}
  ${'SUCCEEDED'} | ${NONE}      | ${NONE}      | ${NONE}      | ${NONE}        | ${NONE}     | ${NONE}     | ${NONE}
  ${'FAILED'}    | ${NONE}      | ${NONE}      | ${NONE}      | ${NONE}        | ${NONE}     | ${NONE}     | ${NONE}
  ${'CANCELLED'} | ${NONE}      | ${NONE}      | ${NONE}      | ${NONE}        | ${NONE}     | ${NONE}     | ${NONE}
`('changes of a task that is $state', ({ state, ...changes }: { state: TaskState } & Record<TaskChange, TaskState | undefined>) => {
  for (const change of TASK_CHANGES) expect([change, stateAfter(state, change)]).toEqual([change, changes[change]]);
});

test('a change leads to the next version, or stays at 2', () => {
  for (const state of TASK_STATES) {
    for (const change of TASK_CHANGES) {
      const next = stateAfter(state, change);
      if (next === undefined) continue;
      // What ends before it was started passes version 2 in the same commit.
      expect(versionOf(next)).toBeGreaterThanOrEqual(versionOf(state));
      if (versionOf(next) === versionOf(state)) expect(versionOf(state)).toBe(2);
    }
  }
  expect(TASK_STATES.filter(hasEnded)).toEqual(['SUCCEEDED', 'FAILED', 'CANCELLED']);
});
