/** What is measured of ends of day, also behind a crash and a restart. */
import { BusinessDaysUnderTest } from '../test/business-days-under-test';
import { Measured } from '../test/measured';

const BRANCH = { branchId: 'north' };

test('runs, steps and cuts are counted, and a run that is under way is seen', async () => {
  const measured = new Measured('sluice.businessday.');
  const days = await BusinessDaysUnderTest.start('memory', measured.metrics);
  const underWay = (): number => Object.entries(measured.values).reduce((sum, [key, value]) => (key.startsWith('under_way ') ? sum + value : sum), 0);
  await days.register('north');
  expect(underWay()).toBe(0);
  await days.call('cutDay', { ...BRANCH });
  await days.call('pauseBatch', { ...BRANCH });
  expect([underWay(), measured.values['cuts']]).toEqual([1, 1]);
  await days.crash();
  expect(underWay()).toBe(1);
  await days.restart();
  expect(underWay()).toBe(1);
  await days.call('resumeBatch', { ...BRANCH });
  await days.call('runEndOfDay', { ...BRANCH });
  await days.rest('north');
  await days.until(() => measured.values['runs_ended WHOLE'] === 1);
  expect([underWay(), measured.values['steps_ended'], measured.values['set_aside']]).toEqual([0, 8, undefined]);
  await days.end();
});
