import { wasCutOff } from './task-outages';

const at = (ms: number): Date => new Date(ms);
const failure = { kind: 'TIME_LIMIT', limit: 'START_TO_FINISH', message: '' } as const;
const taskOf = (workerId: string, startedMs: number, endedMs: number) => ({
  state: 'FAILED' as const,
  failure,
  attempts: [{ number: 1, workerId, startedAt: at(startedMs), endedAt: at(endedMs), failure, retryAt: undefined }],
});
const WORKER = { fromMs: 100, toMs: 110, workerId: 'killed' };
const SERVICE = { fromMs: 500, toMs: 700, workerId: undefined };

test.each`
  attempt                                   | workerId    | startedMs | endedMs | isCutOff
  ${'of the killed worker, at that moment'} | ${'killed'} | ${50}     | ${150}  | ${true}
  ${'of the killed worker, ended before'}   | ${'killed'} | ${50}     | ${99}   | ${false}
  ${'of another worker'}                    | ${'other'}  | ${50}     | ${150}  | ${false}
  ${'while the service was away'}           | ${'other'}  | ${490}    | ${650}  | ${true}
  ${'after the service was back'}           | ${'other'}  | ${701}    | ${800}  | ${false}
`('an attempt $attempt was cut off: $isCutOff', ({ workerId, startedMs, endedMs, isCutOff }) => {
  expect(wasCutOff(taskOf(workerId as string, startedMs as number, endedMs as number), [WORKER, SERVICE])).toBe(isCutOff);
});

test('a task that did not run out of time was not cut off', () => {
  const succeeded = { ...taskOf('killed', 50, 150), state: 'SUCCEEDED' as const, failure: undefined };
  expect(wasCutOff(succeeded, [WORKER, SERVICE])).toBe(false);
});
