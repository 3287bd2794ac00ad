import { LiveScreen } from './live-screen';

test('what is drawn again is drawn over what was there, whatever is longer', () => {
  let written = '';
  const live = new LiveScreen({ write: (text) => (written += text), isTTY: true });
  live.draw(['a', 'b']);
  live.draw(['c']);
  expect(written.replaceAll('\u001b[', '^')).toBe('^?7l\r^2Ka\n^2Kb\n^0J^?7h^?7l^2A\r^2Kc\n^0J^?7h');
});

test('what is taller than the terminal is cut, so that it is drawn over itself again', () => {
  let written = '';
  const live = new LiveScreen({ write: (text) => (written += text), isTTY: true, rows: 3 });
  live.draw(['a', 'b', 'c']);
  live.draw(['d', 'e']);
  expect(written.replaceAll('\u001b[', '^')).toBe('^?7l\r^2Ka\n^2Kb\n^0J^?7h^?7l^2A\r^2Kd\n^2Ke\n^0J^?7h');
});
