import { SluiceError } from '@sluice/client';
import { minorUnits, pair, timeUs } from './argument';
import { runCli } from './cli';
import { EXIT, exitCodeOf, UsageError } from './exit-code';
import { timeText } from './output';
import { layoutsOf } from './partitions/config-command';
import { liveText } from './serve/live-line';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    terminal: { results: { write: (text) => (out += text) }, messages: { write: (text) => (err += text) } },
    environment: {},
    interrupted: new AbortController().signal,
    ask: undefined,
  });
  return { code, out, err };
}

test.each`
  words                        | shows
  ${[]}                        | ${'Usage: sluice'}
  ${['serve']}                 | ${'sluice serve --port 0'}
  ${['account']}               | ${'sluice account entries'}
  ${['account', 'open']}       | ${'sluice account open wallet-1 EUR'}
  ${['account', 'get']}        | ${'sluice account get wallet-1'}
  ${['account', 'list']}       | ${'sluice account list'}
  ${['account', 'post']}       | ${'sluice account post wallet-1 CREDIT'}
  ${['account', 'hold']}       | ${'sluice account hold wallet-1'}
  ${['account', 'capture']}    | ${'sluice account capture wallet-1'}
  ${['account', 'release']}    | ${'sluice account release wallet-1'}
  ${['account', 'entries']}    | ${'sluice account entries wallet-1'}
  ${['account', 'balance-at']} | ${'sluice account balance-at wallet-1'}
  ${['account', 'update']}     | ${'sluice account update wallet-1'}
  ${['account', 'freeze']}     | ${'sluice account freeze wallet-1'}
  ${['account', 'unfreeze']}   | ${'sluice account unfreeze wallet-1'}
  ${['account', 'close']}      | ${'sluice account close wallet-1'}
  ${['account', 'watch']}      | ${'sluice account watch wallet-1'}
  ${['day']}                   | ${'sluice day end prague'}
  ${['day', 'register']}       | ${'sluice day register prague'}
  ${['day', 'cut']}            | ${'sluice day cut prague'}
  ${['day', 'end']}            | ${'sluice day end prague 2026-12-31'}
  ${['day', 'export']}         | ${'sluice day export prague'}
  ${['product', 'create']}     | ${'sluice product create savings'}
  ${['log']}                   | ${'sluice log tail'}
  ${['log', 'tail']}           | ${'sluice log tail --partition 2'}
  ${['log', 'verify']}         | ${'sluice log verify --data'}
  ${['log', 'repair']}         | ${'sluice log repair --drop-from 2:4711'}
  ${['log', 'restored']}       | ${'sluice log restored --log-url mongodb://'}
  ${['log', 'new']}            | ${'sluice log new --log-url mongodb://'}
  ${['verify']}                | ${'sluice verify wallet-1'}
  ${['rebuild']}               | ${'sluice rebuild'}
  ${['status']}                | ${'sluice status'}
  ${['health']}                | ${'sluice health command --alive'}
  ${['config']}                | ${'sluice config partitions 12'}
  ${['config', 'partitions']}  | ${'sluice config partitions 12'}
  ${['replay']}                | ${'sluice replay bank'}
  ${['replay', 'bank']}        | ${'sluice replay bank bank-1993.csv.gz --data'}
  ${['demo']}                  | ${'sluice demo --seconds 20'}
`('help with an example: sluice $words', async ({ words, shows }: { words: string[]; shows: string }) => {
  const { code, out } = await run(...words, '--help');
  expect(out).toContain(shows);
  expect(out).toMatch(/Examples?:/);
  expect(code).toBe(EXIT.done);
});

test.each`
  words                                                                            | code                | says
  ${['account', 'post', 'a', 'CREDIT', '12.5', 'EUR']}                             | ${EXIT.usage}       | ${'whole number of minor units'}
  ${['account', 'post', 'a', 'CREDIT', '9223372036854775808', 'EUR']}              | ${EXIT.usage}       | ${'at most 9223372036854775807'}
  ${['account', 'get', 'a', '--target', '127.0.0.1']}                              | ${EXIT.usage}       | ${'--target is HOST:PORT, like 127.0.0.1:7400, not "127.0.0.1"'}
  ${['account', 'get', 'a', '--target', 'http://127.0.0.1:7400']}                  | ${EXIT.usage}       | ${'--target is HOST:PORT'}
  ${['account', 'get', 'a', '--query-target', 'query:70000']}                      | ${EXIT.usage}       | ${'--query-target is HOST:PORT'}
  ${['account', 'post', 'a', 'GIFT', '12', 'EUR']}                                 | ${EXIT.usage}       | ${'CREDIT, DEBIT, HOLD, CAPTURE, RELEASE'}
  ${['account', 'post']}                                                           | ${EXIT.usage}       | ${"missing required argument 'account'"}
  ${['account', 'opne', 'a', 'EUR']}                                               | ${EXIT.usage}       | ${'Did you mean open?'}
  ${['account', 'balance-at', 'a']}                                                | ${EXIT.usage}       | ${'say --time, --sequence or --business-date'}
  ${['account', 'update', 'a']}                                                    | ${EXIT.usage}       | ${'say what to change'}
  ${['account', 'list', '--status', 'GONE']}                                       | ${EXIT.usage}       | ${'Allowed choices are OPEN, FROZEN, CLOSED'}
  ${['log', 'tail', '--from', '3']}                                                | ${EXIT.usage}       | ${'say --partition too'}
  ${['log', 'repair', '--drop-from', 'all']}                                       | ${EXIT.usage}       | ${'PARTITION:SEQUENCE'}
  ${['log', 'repair', '--drop-from', '0:1', '--data', 'x', '--log-url', 'y']}      | ${EXIT.usage}       | ${'two logs'}
  ${['log', 'repair', '--drop-from', '0:1', '--log-url', 'mongodb://127.0.0.1/x']} | ${EXIT.usage}       | ${'--nats-url'}
  ${['log', 'verify', '--data', '/no/such/folder']}                                | ${EXIT.usage}       | ${'there is no event log'}
  ${['log', 'restored', '--log-url', 'mongodb://127.0.0.1/sluice']}                | ${EXIT.usage}       | ${'say --yes'}
  ${['config', 'partitions', '1']}                                                 | ${EXIT.usage}       | ${'2 to 4096 partitions, not 1'}
  ${['health', 'quary']}                                                           | ${EXIT.usage}       | ${'"quary" is not a service'}
  ${['replay', 'bank', '/no/such/file']}                                           | ${EXIT.usage}       | ${'there is no file'}
  ${['account', 'get', 'a', '--tls-cert', 'x.pem']}                                | ${EXIT.usage}       | ${'belong together'}
  ${['account', 'get', 'a', '--target', '127.0.0.1:1', '--deadline', '2000']}      | ${EXIT.unavailable} | ${'no server answers'}
`('what is wrong is said in a plain line: sluice $words', async ({ words, code, says }: { words: string[]; code: number; says: string }) => {
  const result = await run(...words);
  expect(result.err).toContain(says);
  expect(result.code).toBe(code);
  expect(result.out).toBe('');
});

test('help says each default once', async () => {
  for (const words of [
    ['account', 'list'],
    ['account', 'entries'],
    ['account', 'transfers'],
    ['timers', 'list'],
    ['unfinished', 'list'],
    ['contest', 'unfinished'],
    ['day', 'register'],
    ['day', 'end'],
    ['day', 'export'],
    ['product', 'create'],
    ['worker', 'run'],
    ['replay', 'tasks'],
  ]) {
    const { out } = await run(...words, '--help');
    for (const line of out.split('\n')) expect(line.match(/default/g)?.length ?? 0).toBeLessThanOrEqual(1);
  }
});

test('config partitions lists the pairs, for people and for machines', async () => {
  expect(layoutsOf(6)).toEqual([
    { servers: 1, containers: 6 },
    { servers: 2, containers: 3 },
    { servers: 3, containers: 2 },
    { servers: 6, containers: 1 },
  ]);
  expect((await run('config', 'partitions', '4')).out).toBe(
    'SLUICE_SERVERS  SLUICE_CONTAINERS\n             1                  4\n             2                  2\n             4                  1\n',
  );
  expect((await run('config', 'partitions', '2', '--json')).out).toBe('{"servers":1,"containers":2}\n{"servers":2,"containers":1}\n');
});

test.each`
  error                                                                                       | code
  ${new SluiceError({ code: 'FAILED_PRECONDITION', reason: 'ACCOUNT_FROZEN', message: '' })}  | ${EXIT.refused}
  ${new SluiceError({ code: 'NOT_FOUND', reason: 'ACCOUNT_NOT_FOUND', message: '' })}         | ${EXIT.refused}
  ${new SluiceError({ code: 'PERMISSION_DENIED', reason: 'SIGNATURE_INVALID', message: '' })} | ${EXIT.refused}
  ${new SluiceError({ code: 'PERMISSION_DENIED', reason: 'NOT_AUTHORIZED', message: '' })}    | ${EXIT.forbidden}
  ${new SluiceError({ code: 'UNAUTHENTICATED', reason: '', message: '' })}                    | ${EXIT.forbidden}
  ${new SluiceError({ code: 'UNAVAILABLE', reason: '', message: '' })}                        | ${EXIT.unavailable}
  ${new SluiceError({ code: 'DEADLINE_EXCEEDED', reason: '', message: '' })}                  | ${EXIT.unavailable}
  ${new SluiceError({ code: 'INTERNAL', reason: '', message: '' })}                           | ${EXIT.fault}
  ${new UsageError('')}                                                                       | ${EXIT.usage}
  ${new Error('')}                                                                            | ${EXIT.fault}
`('exit codes say which kind of wrong it was: $error', ({ error, code }: { error: Error; code: number }) => {
  expect(exitCodeOf(error)).toBe(code);
});

describe('what stands on the command line', () => {
  test('times keep their microseconds', () => {
    expect(timeUs('2026-01-31T12:00:00.123456Z')).toBe(Date.parse('2026-01-31T12:00:00Z') * 1_000 + 123_456);
    expect(timeUs('2026-01-31T12:00:00.5+01:00')).toBe(Date.parse('2026-01-31T11:00:00Z') * 1_000 + 500_000);
    expect(timeUs('2026-01-31')).toBe(Date.parse('2026-01-31T00:00:00Z') * 1_000);
    expect(timeText(timeUs('2026-01-31T12:00:00.000007Z'))).toBe('2026-01-31T12:00:00.000007Z');
    expect(() => timeUs('yesterday')).toThrow('ISO 8601');
    expect(() => timeUs('2026-13-31')).toThrow('ISO 8601');
  });
  test('amounts are larger than numbers', () => {
    expect(minorUnits('9223372036854775807')).toBe(9_223_372_036_854_775_807n);
  });
  test('pairs gather', () => {
    expect(pair('b=2=3', pair('a=1'))).toEqual({ a: '1', b: '2=3' });
  });
});

test('the live line', () => {
  expect(liveText({ commands: 0, lagUs: 12_345, hottestAccount: 'wallet-1' }, 128_189.4)).toBe(
    '128,189 postings/s   projection lag 12 ms   hottest account wallet-1',
  );
  expect(liveText({ commands: 0, lagUs: 0, hottestAccount: undefined }, 0)).toBe('0 postings/s   projection lag 0.0 ms   hottest account -');
});
