/**
 * The states of a task and the changes between them. A state has a level, which is its version: it never goes back, and a change leads to
 * the next level or stays within level 2, where attempts come and go.
 *
 *   state      version  START    RETURN   RETRY    COMPLETE   FAIL    TIME_LIMIT  CANCEL
 *   SUBMITTED  1        RUNNING  -        -        -          -       FAILED      CANCELLED
 *   RUNNING    2        RUNNING  RUNNING  RUNNING  SUCCEEDED  FAILED  FAILED      CANCELLED
 *   SUCCEEDED  3        -        -        -        -          -       -           -
 *   FAILED     3        -        -        -        -          -       -           -
 *   CANCELLED  3        -        -        -        -          -       -           -
 *
 * START begins an attempt. RETURN gives it back untouched, RETRY ends it as failed with another one to follow. What ends before it was
 * started passes level 2 in the same commit.
 */
export type TaskState = 'SUBMITTED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type TaskChange = 'START' | 'RETURN' | 'RETRY' | 'COMPLETE' | 'FAIL' | 'TIME_LIMIT' | 'CANCEL';

export const TASK_STATES: readonly TaskState[] = ['SUBMITTED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];
export const TASK_CHANGES: readonly TaskChange[] = ['START', 'RETURN', 'RETRY', 'COMPLETE', 'FAIL', 'TIME_LIMIT', 'CANCEL'];

const VERSIONS: Readonly<Record<TaskState, 1 | 2 | 3>> = { SUBMITTED: 1, RUNNING: 2, SUCCEEDED: 3, FAILED: 3, CANCELLED: 3 };

const TRANSITIONS: Readonly<Record<TaskState, Partial<Record<TaskChange, TaskState>>>> = {
  SUBMITTED: { START: 'RUNNING', TIME_LIMIT: 'FAILED', CANCEL: 'CANCELLED' },
  RUNNING: {
    START: 'RUNNING',
    RETURN: 'RUNNING',
    RETRY: 'RUNNING',
    COMPLETE: 'SUCCEEDED',
    FAIL: 'FAILED',
    TIME_LIMIT: 'FAILED',
    CANCEL: 'CANCELLED',
  },
  SUCCEEDED: {},
  FAILED: {},
  CANCELLED: {},
};

/** The state version, 1 to 3. */
export function versionOf(state: TaskState): 1 | 2 | 3 {
  return VERSIONS[state];
}

export function hasEnded(state: TaskState): boolean {
  return VERSIONS[state] === 3;
}

/** Where the change leads; undefined: it is not possible in this state. */
export function stateAfter(state: TaskState, change: TaskChange): TaskState | undefined {
  return TRANSITIONS[state][change];
}
