import { Readiness } from './readiness';

test('a process is ready while there is no problem', () => {
  const readiness = new Readiness();
  const told: boolean[] = [];
  readiness.report('partition 1', 'its log cannot be read');
  readiness.follow((ready) => told.push(ready));
  readiness.report('partition 2', 'its log cannot be read');
  readiness.report('partition 1', undefined);
  readiness.report('partition 2', undefined);
  expect(told).toEqual([false, false, false, true]);
});
