import { ManualClock } from '@sluice/memory';
import { LiveLine } from './live-line';

function lineOn(isTTY: boolean) {
  const clock = new ManualClock();
  let written = '';
  let commands = 0;
  const screen = { isTTY, columns: 80, write: (text: string) => (written += text) };
  const line = new LiveLine(screen, async () => ({ commands, lagUs: 1_500, hottestAccount: 'wallet-1' }), clock);
  line.start();
  return {
    line,
    /** Lets time pass with so many commands in it; returns what was written meanwhile. */
    pass: async (milliseconds: number, more: number): Promise<string> => {
      written = '';
      commands += more;
      clock.advance(milliseconds);
      await new Promise(setImmediate);
      return written;
    },
    last: () => written,
  };
}

test('on a terminal it is written over itself every second', async () => {
  const { pass, line, last } = lineOn(true);
  expect(await pass(1_000, 500)).toBe('\r\u001b[2K500 postings/s   projection lag 1.5 ms   hottest account wallet-1');
  expect(await pass(1_000, 0)).toContain('0 postings/s');
  line.stop();
  expect(last()).toMatch(/\n$/);
  expect(await pass(5_000, 1)).toBe('');
});

test('elsewhere it is a plain line every ten seconds', async () => {
  const { pass, line } = lineOn(false);
  expect(await pass(9_000, 10_000)).toBe('');
  expect(await pass(1_000, 0)).toBe('1,000 postings/s   projection lag 1.5 ms   hottest account wallet-1\n');
  line.stop();
});
