import { parseOptions, UsageError } from './options';

test('defaults', () => {
  expect(parseOptions(['hot-account'])).toMatchObject({
    scenario: 'hot-account',
    options: {
      seconds: 5,
      rounds: 3,
      json: false,
      inFlight: undefined,
      connections: 2,
      batchSize: 1_000,
      entries: undefined,
      watchers: 1_000,
      open: undefined,
      compare: new Set(['echo', 'row-lock', 'postgres', 'redis', 'rivals']),
    },
  });
});

test('everything said', () => {
  const { options } = parseOptions(
    'restart --seconds 0.5 --rounds 1 --json --in-flight 1 --accounts 10 --entries 20 --open 30 --compare none --profile p --dir d'.split(' '),
  );
  expect(options).toMatchObject({
    seconds: 0.5,
    rounds: 1,
    json: true,
    inFlight: 1,
    accounts: 10,
    entries: 20,
    open: 30,
    compare: new Set(),
    profile: 'p',
    folder: 'd',
  });
});

test.each([
  ['hot-account queries', 'one scenario at a time'],
  ['hot-account --seconds 0', '--seconds is a number above 0'],
  ['hot-account --seconds x', '--seconds is a number above 0'],
  ['hot-account --in-flight 1.5', '--in-flight is a whole number'],
  ['hot-account --batch 10001', '--batch is a whole number from 1 to 10000'],
  ['hot-account --compare echo,oracle', '--compare knows echo, row-lock, postgres, redis, rivals and none, not oracle'],
  ['hot-account --fast', "Unknown option '--fast'"],
])('%s is refused', (line, message) => {
  const parse = (): unknown => parseOptions(line.split(' '));
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
});
