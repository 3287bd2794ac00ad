import { declaredSettings } from './declared-settings';
import { optional } from './setting';
import { text } from './values';

const something = optional(text(), 'none', 'Something.');

test('the settings of all capabilities are one table, in the order in which they are declared', () => {
  const settings = declaredSettings(
    [
      { name: 'task', settings: { taskHandlers: something, taskQueues: something } },
      { name: 'contest', settings: { contestRounds: something } },
    ],
    ['host'],
  );
  expect(Object.keys(settings)).toEqual(['taskHandlers', 'taskQueues', 'contestRounds']);
  expect(settings.contestRounds.meaning).toBe('Something.');
});

test.each(['handlers', 'tasks', 'task', 'Taskhandlers'])('%s is refused: the name of a setting begins with that of its capability', (name) => {
  expect(() => declaredSettings([{ name: 'task', settings: { [name]: something } }], [])).toThrow(`the setting ${name} must begin with`);
});

test('a name that is taken is refused', () => {
  expect(() => declaredSettings([{ name: 'log', settings: { logUrl: something } }], ['logUrl'])).toThrow('logUrl of log is there already');
});
