import { Command } from 'commander';
import { addSettingsOptions, cutText, type SettingsOptions, settingsOf } from './settings-options';

function optionsOf(...words: string[]): SettingsOptions {
  const command = addSettingsOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(words, { from: 'user' }).opts<SettingsOptions>();
}

test('options become settings; what they leave out is left to the server, or stays', () => {
  const given = optionsOf(
    ...['--time-zone', 'Europe/Prague', '--rest-days', 'SAT,SUN', '--holidays', '2026-12-25,2026-12-26', '--cut', '18:05', '--automatic'],
    ...['--jobs', 'INTEREST,ACCOUNTING', '--line-name', 'CASH=till', '--line-name', 'FUNDS=a=b', '--wait', '5'],
  );
  const settings = settingsOf(given);
  expect(settings).toEqual({
    timeZone: 'Europe/Prague',
    restDays: [6, 7],
    holidays: ['2026-12-25', '2026-12-26'],
    cutMinutes: 1_085,
    automatic: true,
    rollPolicy: undefined,
    stageOneJobs: undefined,
    jobs: ['INTEREST', 'ACCOUNTING'],
    waitMs: 5,
    stepAccounts: undefined,
    lineNames: { CASH: 'till', FUNDS: 'a=b' },
  });
  expect(settingsOf(optionsOf('--no-automatic', '--rest-days', 'none', '--cut', '00:00', '--line-name', 'FUNDS=funds'), settings)).toEqual({
    ...settings,
    automatic: false,
    restDays: [],
    cutMinutes: 0,
    lineNames: { CASH: 'till', FUNDS: 'funds' },
  });
  expect(settingsOf(optionsOf())).toMatchObject({ timeZone: 'UTC', automatic: undefined });
});

test.each([
  ['--cut', '24:00'],
  ['--cut', '9:00'],
  ['--rest-days', 'SAT,HOLIDAY'],
  ['--holidays', '2026-02-30'],
  ['--jobs', 'CLEANING'],
  ['--line-name', 'TILL=till'],
  ['--line-name', 'CASH'],
])('%s %s is a wrong use', (...words) => {
  expect(() => optionsOf(...words)).toThrow(/it is/);
});

test('minutes as clocks show them', () => {
  expect([0, 5, 1_439].map(cutText)).toEqual(['00:00', '00:05', '23:59']);
});
