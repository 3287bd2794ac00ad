import { expectedEndOf, type GridJob } from './grid-job';
import { type JudgedTask, judgeTasks } from './task-judgement';
import { summarizeTaskReplay } from './task-replay-summary';

const SCALE = 1_000;

test.each`
  runS     | requestedS | end
  ${100}   | ${4_000}   | ${'SUCCEEDED'}
  ${149}   | ${4_000}   | ${'SUCCEEDED'}
  ${150}   | ${4_000}   | ${'NEAR_LIMIT'}
  ${200}   | ${4_000}   | ${'NEAR_LIMIT'}
  ${250}   | ${4_000}   | ${'NEAR_LIMIT'}
  ${251}   | ${4_000}   | ${'TIMED_OUT'}
  ${9_999} | ${4_000}   | ${'TIMED_OUT'}
`('a job that ran $runS s and asked for $requestedS s is expected to end as $end', ({ end, ...job }: { runS: number; requestedS: number; end: string }) => {
  expect(expectedEndOf(job, SCALE)).toBe(end);
});

const job = (jobId: string, runS: number): GridJob => ({ line: Number(jobId) + 1, jobId, submittedS: 0, runS, requestedS: 4_000, site: 1 });
const at = (ms: number): Date => new Date(1_767_225_600_000 + ms);
const timeLimit = { kind: 'TIME_LIMIT', limit: 'START_TO_FINISH', message: '' } as const;
const lostWorker = { kind: 'WORKER_LOST', limit: 'HEARTBEAT', message: 'gone' } as const;

function attempt(number: number, fromMs: number, toMs: number, failure?: typeof timeLimit | typeof lostWorker): JudgedTask['attempts'][number] {
  return { number, workerId: 'w', startedAt: at(fromMs), endedAt: at(toMs), failure, retryAt: undefined };
}

function task(taskId: string, jobId: string, partial: Partial<JudgedTask> = {}): JudgedTask {
  return { taskId, labels: { job: jobId }, retryOf: '', state: 'SUCCEEDED', failure: undefined, attempts: [attempt(1, 0, 100)], ...partial };
}

const LATE = { state: 'FAILED', failure: timeLimit } as const;

test.each`
  what                                          | tasks                                                                                                                              | counts       | differences
  ${'as the file says'}                         | ${[task('q/1', '1'), task('q/2', '2', LATE), task('q/3', '3', LATE)]}                                                              | ${[1, 1, 1]} | ${[0, 0, 0]}
  ${'the wrong way'}                            | ${[task('q/1', '1', LATE), task('q/2', '2'), task('q/3', '3')]}                                                                    | ${[0, 0, 1]} | ${[2, 0, 0]}
  ${'failed for another reason'}                | ${[task('q/1', '1'), task('q/2', '2', { ...LATE, failure: lostWorker }), task('q/3', '3')]}                                        | ${[1, 0, 1]} | ${[1, 0, 0]}
  ${'not there'}                                | ${[task('q/1', '1'), task('q/2', '2', LATE)]}                                                                                      | ${[1, 1, 0]} | ${[0, 1, 0]}
  ${'not ended'}                                | ${[task('q/1', '1'), task('q/2', '2', { state: 'RUNNING' }), task('q/3', '3')]}                                                    | ${[1, 0, 1]} | ${[0, 1, 0]}
  ${'there twice'}                              | ${[task('q/1', '1'), task('q/9', '1'), task('q/2', '2', LATE), task('q/3', '3')]}                                                  | ${[1, 1, 1]} | ${[0, 0, 1]}
  ${'tried again because a kill cut it off'}    | ${[task('q/1', '1', LATE), task('q/9', '1', { retryOf: 'q/1' }), task('q/2', '2', LATE), task('q/3', '3')]}                        | ${[1, 1, 1]} | ${[0, 0, 0]}
  ${'lost by a worker and done by another one'} | ${[task('q/1', '1', { attempts: [attempt(1, 0, 50, lostWorker), attempt(2, 60, 90)] }), task('q/2', '2', LATE), task('q/3', '3')]} | ${[1, 1, 1]} | ${[0, 0, 0]}
  ${'succeeded twice'}                          | ${[task('q/1', '1', { attempts: [attempt(1, 0, 50), attempt(2, 60, 90)] }), task('q/2', '2', LATE), task('q/3', '3')]}             | ${[1, 1, 1]} | ${[0, 0, 1]}
  ${'with attempts at the same time'}           | ${[task('q/1', '1', { attempts: [attempt(1, 0, 50, lostWorker), attempt(2, 40, 90)] }), task('q/2', '2', LATE), task('q/3', '3')]} | ${[1, 1, 1]} | ${[0, 0, 1]}
`('tasks that are $what', ({ tasks, counts, differences }: { tasks: JudgedTask[]; counts: number[]; differences: number[] }) => {
  const jobs = [job('1', 100), job('2', 300), job('3', 200)];
  const acknowledged = new Map(jobs.map(({ jobId }) => [jobId, `q/${jobId}`]));
  const { succeeded, timedOut, nearLimit, mismatches, lost, doubled } = judgeTasks(jobs, SCALE, acknowledged, tasks, new Map());
  expect([succeeded, timedOut, nearLimit]).toEqual(counts);
  expect([mismatches.length, lost.length, doubled.length]).toEqual(differences);
});

test('a replay ends with one line of figures, and with exit code 1 if there are differences', () => {
  const report = { tasks: 3, succeeded: 1, timedOut: 1, nearLimit: 1, mismatches: [], late: [], lost: [], doubled: [], triedAgain: 0 };
  expect(summarizeTaskReplay(report)).toEqual({
    lines: ['3 tasks: 1 succeeded, 1 timed out, 1 near the limit; 0 mismatches, 0 lost, 0 doubled'],
    exitCode: 0,
  });
  expect(summarizeTaskReplay({ ...report, triedAgain: 2, lost: ['job 1'] })).toEqual({
    lines: [
      'lost: job 1',
      '2 tasks ran out of time because they were cut off by a kill, and were tried again',
      '3 tasks: 1 succeeded, 1 timed out, 1 near the limit; 0 mismatches, 1 lost, 0 doubled',
    ],
    exitCode: 1,
  });
});

test.each`
  what                                         | ranMs        | late | mismatches
  ${'the worker ran it no longer than it was'} | ${149}       | ${0} | ${1}
  ${'the worker ran it until near its limit'}  | ${150}       | ${1} | ${0}
  ${'no worker says how long it ran'}          | ${undefined} | ${0} | ${1}
`('of a job that timed out and should not have: $what', ({ ranMs, late, mismatches }: { ranMs: number | undefined; late: number; mismatches: number }) => {
  const runs = new Map(ranMs === undefined ? [] : [['q/1', { taskId: 'q/1', beganAtMs: at(2).getTime(), ranMs }] as const]);
  const judged = judgeTasks([job('1', 100)], SCALE, new Map([['1', 'q/1']]), [task('q/1', '1', LATE)], runs);
  expect([judged.late.length, judged.mismatches.length]).toEqual([late, mismatches]);
});
