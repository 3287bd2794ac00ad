import { commandOf, parseOptions, UsageError } from './options';

const parsed = (...argv: string[]) => parseOptions(argv, () => 42);

test('what nothing is said of: ten minutes of the random plan, any seed', () => {
  expect(parsed()).toEqual({ help: false, options: { seed: 42, minutes: 10, plan: 'random', json: false, logs: undefined } });
});

test.each`
  argv                                      | command
  ${[]}                                     | ${'npm run chaos -- --seed 42 --minutes 10'}
  ${['--seed', '7', '--minutes', '0.5']}    | ${'npm run chaos -- --seed 7 --minutes 0.5'}
  ${['--plan', 'uptime', '--json']}         | ${'npm run chaos -- --plan uptime --seed 42 --minutes 10'}
  ${['--logs', '/tmp/logs', '--seed', '0']} | ${'npm run chaos -- --seed 0 --minutes 10'}
`('$argv is repeated by $command', ({ argv, command }: { argv: string[]; command: string }) => {
  expect(commandOf(parsed(...argv).options)).toBe(command);
});

test.each`
  argv                        | why
  ${['--seed', '-1']}         | ${/--seed/}
  ${['--seed', '1.5']}        | ${/--seed/}
  ${['--seed', '4294967296']} | ${/--seed/}
  ${['--minutes', '0.1']}     | ${/--minutes/}
  ${['--minutes', 'ten']}     | ${/--minutes/}
  ${['--plan', 'none']}       | ${/--plan is one of random, uptime, not none/}
  ${['--what']}               | ${/--what/}
  ${['ten']}                  | ${/ten/}
`('$argv is refused', ({ argv, why }: { argv: string[]; why: RegExp }) => {
  expect(() => parsed(...argv)).toThrow(UsageError);
  expect(() => parsed(...argv)).toThrow(why);
});
