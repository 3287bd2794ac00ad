import { ManualClock } from '@sluice/memory';
import { RateLimitedLog } from './rate-limited-log';

const MINUTE_MS = 60_000;

let clock: ManualClock;
let lines: string[];
let log: RateLimitedLog;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  log = new RateLimitedLog({ warn: write('warn') as never, error: write('error') as never }, clock);
});

test('the first line of a kind is written at once, the next after a minute, with the number of those that were not', () => {
  for (let time = 0; time < 3; time += 1) log.error('refused', { peer: 'a' }, 'a refuses');
  expect(lines).toEqual(['error a refuses {"peer":"a"}']);
  clock.advance(MINUTE_MS - 1);
  log.error('refused', { peer: 'a' }, 'a refuses');
  clock.advance(1);
  log.error('refused', { peer: 'a' }, 'a refuses');
  expect(lines.slice(1)).toEqual(['error a refuses {"peer":"a","times":4}']);
  clock.advance(MINUTE_MS);
  log.error('refused', { peer: 'a' }, 'a refuses');
  expect(lines.slice(2)).toEqual(['error a refuses {"peer":"a"}']);
});

test('each kind has a minute of its own', () => {
  log.error('refused by a', {}, 'a refuses');
  log.warn('refused by b', {}, 'b refuses');
  expect(lines).toEqual(['error a refuses {}', 'warn b refuses {}']);
});

test('kinds are forgotten beyond a number, the oldest first', () => {
  for (let kind = 0; kind <= 1_000; kind += 1) log.error(`kind ${kind}`, {}, 'x');
  log.error('kind 1000', {}, 'again');
  log.error('kind 0', {}, 'again');
  expect(lines.filter((line) => line.includes('again'))).toHaveLength(1);
});
