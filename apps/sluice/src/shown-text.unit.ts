/** What callers may write is shown, and not obeyed by the terminal. */
import { Output } from './output';
import { shownText } from './shown-text';

const ESCAPE = '\u001b';

test.each`
  text                     | shown
  ${'é 東京 🏆'}           | ${'é 東京 🏆'}
  ${`${ESCAPE}[2Jred`}     | ${'\\u001b[2Jred'}
  ${'one\nanother\r\tend'} | ${'one\\u000aanother\\u000d\\u0009end'}
  ${'\u009b31mred'}        | ${'\\u009b31mred'}
  ${'\u202edlrow'}         | ${'\\u202edlrow'}
`('$shown', ({ text, shown }: { text: string; shown: string }) => {
  expect(shownText(text)).toBe(shown);
});

test('pairs, tables and lines have one line each, whatever stands in them', () => {
  let written = '';
  const screen = { write: (text: string) => (written += text) };
  const output = new Output({ results: screen, messages: screen }, false);
  const title = `${ESCAPE}]0;title\u0007\nsecond`;
  output.thing({}, [[title, title]]);
  output.table([{ title }], { title: (row) => row.title });
  output.line(title);
  output.message(title);
  expect(written).not.toContain(ESCAPE);
  expect(written.split('\n')).toHaveLength(6);
});
