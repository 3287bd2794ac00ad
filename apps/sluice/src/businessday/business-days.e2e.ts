/** Business days by the command line, against a server as built. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../exit-code';
import { cli, type CliResult, cliOnceProjected, jsonLines, ServedSluice } from '../testing/cli-for-tests';

const folder = mkdtempSync(join(tmpdir(), 'sluice-business-days-'));
let served: ServedSluice;

beforeAll(async () => {
  served = await ServedSluice.start({ SLUICE_DATA_DIR: join(folder, 'data') });
});

afterAll(async () => {
  await served.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const run = (command: string): Promise<CliResult> => cliOnceProjected([...command.split(' '), '--target', served.address]);

/**
 * Command by command, in this order: what it shows, and its exit code. 2026-11-27 is a Friday. A balance of 1,000,000 at 3.65 % earns 100 a day, over the weekend
 * 300; one of -365,000 is charged 10 % of it: 100 a day.
 */
test.each`
  command                                                                                                         | code            | shows
  ${'product create savings --name Savings --rate 365 --debit-rate 1000 --capitalise DAILY --request-id p'}       | ${EXIT.done}    | ${/product +savings\nname +Savings\ninterest +3\.65 %\ndebit interest +10\.00 %\nday count +ACT_365\nbooked +DAILY\nversion/}
  ${'product create savings --name Savings --rate 365 --debit-rate 1000 --capitalise DAILY --request-id p'}       | ${EXIT.done}    | ${/repeated +yes, answered before/}
  ${'product create savings --rate 1'}                                                                            | ${EXIT.refused} | ${/PRODUCT_EXISTS/}
  ${'product create term --rate 100 --rate 1000=200 --term 12m --renews --capitalise AT_MATURITY'}                | ${EXIT.done}    | ${/interest +1\.00 %, 2\.00 % from 1000\n(.*\n)*term +12 months, renews/}
  ${'product update term --term 90d --no-renews'}                                                                 | ${EXIT.done}    | ${/interest +1\.00 %, 2\.00 % from 1000\n(.*\n)*term +90 days, goes to the linked account/}
  ${'product create bad --term 90'}                                                                               | ${EXIT.usage}   | ${/it is so many months or days/}
  ${'product update nothing'}                                                                                     | ${EXIT.refused} | ${/PRODUCT_NOT_FOUND/}
  ${'day register prague --rest-days SAT,SUN --cut 18:00 --date 2026-11-27 --line-name CASH=till --request-id r'} | ${EXIT.done}    | ${/branch +prague\nonline date +2026-11-27\nbatch date +2026-11-27\nrequest id +r\n$/}
  ${'day register prague --rest-days SAT,SUN --cut 18:00 --date 2026-11-27 --line-name CASH=till --request-id r'} | ${EXIT.done}    | ${/repeated +yes, answered before/}
  ${'day register prague'}                                                                                        | ${EXIT.refused} | ${/BRANCH_EXISTS/}
  ${'day register brno --time-zone Nowhere/Land'}                                                                 | ${EXIT.refused} | ${/INVALID_REQUEST/}
  ${'day register brno --cut 25:00'}                                                                              | ${EXIT.usage}   | ${/it is a time of the day/}
  ${'account open saver CZK --branch prague --product savings'}                                                   | ${EXIT.done}    | ${/saver/}
  ${'account open owing CZK --branch prague --product savings --overdraft 1000000'}                               | ${EXIT.done}    | ${/owing/}
  ${'account post saver CREDIT 1000000 CZK'}                                                                      | ${EXIT.done}    | ${/1000000/}
  ${'account post owing DEBIT 365000 CZK'}                                                                        | ${EXIT.done}    | ${/-365000/}
  ${'day pause prague'}                                                                                           | ${EXIT.refused} | ${/NO_BATCH_RUN/}
  ${'day run prague'}                                                                                             | ${EXIT.refused} | ${/DAY_NOT_CUT/}
  ${'day cut prague 2026-11-30'}                                                                                  | ${EXIT.refused} | ${/DATE_NOT_ONLINE/}
  ${'day cut prague 2026-11-27'}                                                                                  | ${EXIT.done}    | ${/online date +2026-11-30\nbatch date +2026-11-27\nrun +prague\/2026-11-27/}
  ${'day cut prague 2026-11-27'}                                                                                  | ${EXIT.done}    | ${/online date +2026-11-30/}
  ${'account post saver CREDIT 5 CZK'}                                                                            | ${EXIT.done}    | ${/1000005/}
  ${'day begin prague'}                                                                                           | ${EXIT.refused} | ${/BATCH_NOT_WHOLE/}
  ${'day run prague'}                                                                                             | ${EXIT.done}    | ${/interest ended: .*2 looked at, 2 changed\n(.*\n)*.*WAITING behind BATCH\n$/}
  ${'day begin prague'}                                                                                           | ${EXIT.done}    | ${/online date +2026-11-30\nbatch date +2026-11-30\n/}
  ${'day set-dates prague 2026-11-29 --reason test'}                                                              | ${EXIT.refused} | ${/INVALID_REQUEST/}
  ${'day end prague 2026-12-01'}                                                                                  | ${EXIT.done}    | ${/2026-11-30 {2}ENDED(.*\n)*.*prague\/2026-12-01 {2}ENDED/}
  ${'day update prague --cut 17:00'}                                                                              | ${EXIT.done}    | ${/online date +2026-12-02\nbatch date +2026-12-02/}
  ${'day status nowhere'}                                                                                         | ${EXIT.refused} | ${/BRANCH_NOT_FOUND/}
`('$command', async ({ command, code, shows }: { command: string; code: number; shows: RegExp }) => {
  const { code: ended, out, err } = await (code === EXIT.refused ? cli([...command.split(' '), '--target', served.address]) : run(command));
  expect(`${out}${err}`).toMatch(shows);
  expect(ended).toBe(code);
});

/** What those commands left, as the read store shows it a moment later. */
test.each`
  command                                                  | shows
  ${'day status prague'}                                   | ${/online date +2026-12-02\nbatch date +2026-12-02\nonline date by +prague\/2026-12-01\nbatch date by +prague\/2026-12-01\ntime zone +UTC\ncut +17:00, on command\nrest days +SAT, SUN/}
  ${'day branches'}                                        | ${/^branch +online +batch.*\nprague +2026-12-02 +2026-12-02/}
  ${'day runs prague'}                                     | ${/\n2026-12-01 +2026-12-02 +ENDED +BEGIN.*\n2026-11-30 +2026-12-01 +ENDED.*\n2026-11-27 +2026-11-30 +ENDED/}
  ${'day watch prague 2026-11-27'}                         | ${/closes 2026-11-27, 2026-11-30 is next\n(.*\n)*.*ENDED after/}
  ${'day report prague 2026-11-27'}                        | ${/state +ENDED\n(.*\n)*accounts +2\ninterest credited +300\ninterest charged +300\n/}
  ${'day trial-balance prague 2026-11-27'}                 | ${/savings +CZK +0 +365300 +1000300 +635000 +2.*\n(.*\n)*savings +CZK +till +1000000 +365000 +2\n(.*\n)*.*2026-11-27 is the first date of the branch that was totalled/}
  ${'day trial-balance prague 2026-11-30'}                 | ${/savings +CZK +635000 .*\n(.*\n)*balanced on 2026-11-30/}
  ${'day export prague 2026-11-27'}                        | ${/saver.*1000300/}
  ${'day export prague 2026-11-27 --format JSON_LINES'}    | ${/\{.*"saver".*1000300/}
  ${'account balance-at saver --business-date 2026-11-27'} | ${/1000300/}
  ${'day verify prague 2026-11-27'}                        | ${/verdict +opening \+ posted = closing, for every account\naccounts +2\npostings +4\n(.*\n)*CZK +0 +635000 +635000/}
  ${'product list'}                                        | ${/^product +name.*\nsavings +Savings +3\.65 %.*\nterm /}
  ${'product get term'}                                    | ${/term +90 days/}
`('$command, once projected', async ({ command, shows }: { command: string; shows: RegExp }) => {
  const result = await run(command);
  expect(`${result.out}${result.err}`).toMatch(shows);
  expect(result.code).toBe(EXIT.done);
});

test('without a date, the last one that was closed', async () => {
  expect((await run('day report prague')).out).toMatch(/date +2026-12-01\n/);
  expect((await run('day trial-balance prague')).out).toContain('balanced on 2026-12-01');
  expect(await run('day register empty --date 2026-11-27')).toMatchObject({ code: EXIT.done });
  expect(await run('day report empty')).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('no end of day of empty has closed a date yet') });
  expect(await run('day report prague 2026-12-02')).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('DATE_NOT_CLOSED') });
});

test('for machines, an object; of a run, the run after each change', async () => {
  const runs = jsonLines((await run('day end prague --json')).out) as { runId: string; state: string; steps: { done: string }[] }[];
  expect(new Set(runs.map(({ runId }) => runId))).toEqual(new Set(['prague/2026-12-02']));
  expect(runs.at(-1)).toMatchObject({
    state: 'ENDED',
    goal: 'BEGIN',
    setAsideCount: 0,
    steps: expect.arrayContaining([expect.objectContaining({ job: 'INTEREST', done: '2' })]),
  });
  expect(jsonLines((await run('day status prague --json')).out)).toEqual([expect.objectContaining({ onlineDate: '2026-12-03', batchDate: '2026-12-03' })]);
  expect(jsonLines((await run('day trial-balance prague --json')).out)).toEqual([expect.objectContaining({ balanced: true })]);
});

test('dates are set by hand, with a reason', async () => {
  expect((await run('day set-dates prague 2027-01-04 --reason moved')).out).toMatch(/online date +2027-01-04\nbatch date +2027-01-04/);
});

test('a run that sets an account aside waits, says which and why, and is forced on', async () => {
  for (const command of ['day register vienna --date 2026-11-26', 'account open locked EUR --branch vienna --product term']) {
    expect(await run(command)).toMatchObject({ code: EXIT.done });
  }
  expect(await run('product update term --term 1d')).toMatchObject({ code: EXIT.done });
  expect(await run('account post locked CREDIT 1000 EUR')).toMatchObject({ code: EXIT.done });
  const ended = await run('day end vienna 2026-11-27');
  expect(ended.out).toMatch(/2026-11-26 {2}ENDED(.*\n)*.*accounts set aside: 1; the first: locked, .*\n.*WAITING behind BEGIN\n$/);
  expect(ended.code).toBe(EXIT.refused);
  expect((await run('day status vienna')).out).toMatch(
    /run +vienna\/2026-11-27 WAITING\n(.*\n)*set aside +step +reason\nlocked +maturity +there is no linked account/,
  );
  expect(await cli(['day', 'begin', 'vienna', '--target', served.address])).toMatchObject({
    code: EXIT.refused,
    err: expect.stringContaining('BATCH_NOT_WHOLE'),
  });
  expect((await run('day begin vienna --force --reason known')).out).toMatch(/online date +2026-11-28\nbatch date +2026-11-28/);
  expect((await run('day report vienna 2026-11-27')).out).toMatch(/set aside +1\nforced +known\n/);
});
