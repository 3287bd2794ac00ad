import { taskInputOf } from './task-command';

test('the options of a task are what the server is asked for; what is not said is left to it', () => {
  expect(taskInputOf('mail', {})).toMatchObject({ type: 'mail', limits: undefined, retry: undefined, contentType: undefined });
  const retry = { attempts: 5, firstPause: 10, growth: 0, maximumPause: 20, jitter: 1, retryTimeLimit: true };
  expect(taskInputOf('mail', { ...retry, contentType: 'text/csv', startToFinish: 7 })).toMatchObject({
    contentType: 'text/csv',
    limits: { startToFinishMs: 7 },
    retry: { maximumAttempts: 5, firstPauseMs: 10, growthPercent: 0, maximumPauseMs: 20, jitterPercent: 1, retryTimeLimit: true },
  });
});
