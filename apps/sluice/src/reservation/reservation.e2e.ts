/** Reservations by the command line, against a server as built. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../exit-code';
import { cli, type CliResult, jsonLines, ServedSluice } from '../testing/cli-for-tests';

const folder = mkdtempSync(join(tmpdir(), 'sluice-reservations-'));
let served: ServedSluice;

beforeAll(async () => {
  served = await ServedSluice.start({ SLUICE_DATA_DIR: join(folder, 'data') });
});

afterAll(async () => {
  await served.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const run = (command: string): Promise<CliResult> => cli([...command.split(' '), '--target', served.address]);

/** Command by command, in this order: what it shows, and its exit code. */
test.each`
  command                                                                       | code            | shows
  ${'reservation capacity hall 1'}                                              | ${EXIT.done}    | ${/capacity +1\ntaken +0\nwaiting +0/}
  ${'reservation capacity hall 0'}                                              | ${EXIT.refused} | ${/INVALID_REQUEST/}
  ${'reservation reserve ada H1 --resource hall --request-id r'}                | ${EXIT.done}    | ${/number +H1\nidentity +ada\nstate +RESERVED/}
  ${'reservation reserve ada H1 --resource hall --request-id r'}                | ${EXIT.done}    | ${/repeated +yes, answered before/}
  ${'reservation reserve bob H1'}                                               | ${EXIT.refused} | ${/state +REJECTED\nreason +RESERVATION_NUMBER_TAKEN/}
  ${'reservation reserve bob H2 --resource hall'}                               | ${EXIT.refused} | ${/reason +RESERVATION_RESOURCE_FULL/}
  ${'reservation reserve bob H3 --resource hall --wait --request-id w'}         | ${EXIT.done}    | ${/state +PENDING\nwaiting +yes, for a place/}
  ${'reservation complete H1'}                                                  | ${EXIT.refused} | ${/RESERVATION_NOT_ASSOCIATED/}
  ${'reservation associate eve early --request-id a'}                           | ${EXIT.done}    | ${/state +PARKED/}
  ${'reservation reserve eve early --note hello'}                               | ${EXIT.done}    | ${/state +(RESERVED|ASSOCIATED)/}
  ${'reservation associate eve early --request-id a'}                           | ${EXIT.done}    | ${/state +ASSOCIATED\nnumber +early/}
  ${'reservation associate bob H1'}                                             | ${EXIT.refused} | ${/reason +IDENTITY_MISMATCH/}
  ${'reservation cancel H1 --identity bob'}                                     | ${EXIT.refused} | ${/IDENTITY_MISMATCH/}
  ${'reservation cancel H1 --identity ada --note tired'}                        | ${EXIT.done}    | ${/number +H1 cancelled/}
  ${'reservation associate bob --request-id b'}                                 | ${EXIT.done}    | ${/state +(PARKED|ASSOCIATED)/}
  ${'reservation complete H3 --identity bob'}                                   | ${EXIT.done}    | ${/number +H3 completed/}
  ${'reservation capacity hall 3'}                                              | ${EXIT.done}    | ${/capacity +3\ntaken +1\nwaiting +0/}
  ${'reservation associate mia M1 --request-id m'}                              | ${EXIT.done}    | ${/state +PARKED/}
  ${'reservation reserve ada H4 --expires-at 2001-01-01'}                       | ${EXIT.refused} | ${/RESERVATION_EXPIRY_PAST/}
  ${'reservation reserve ada H5 --expires-in 900'}                              | ${EXIT.done}    | ${/state +RESERVED/}
  ${'reservation extend H5 --expires-in 1800'}                                  | ${EXIT.done}    | ${/number +H5 expires at 20/}
  ${'reservation extend H5'}                                                    | ${EXIT.done}    | ${/number +H5 never expires/}
  ${'reservation reserve ada H6 --hold 5 --unit EUR'}                           | ${EXIT.usage}   | ${/--hold, --unit, --account and --payee belong together/}
  ${'reservation reserve ada H7 --hold 5 --unit EUR --account x --payee hotel'} | ${EXIT.refused} | ${/state +REJECTED\nreason +ACCOUNT_NOT_FOUND/}
`('$command', async ({ command, code, shows }: { command: string; code: number; shows: RegExp }) => {
  let result = await run(command);
  // Places that are given back come to the number that waits, and it to its identity, by deliveries: the answers before are acknowledged without them.
  while (result.err.includes('RESERVATION_NOT_ASSOCIATED') && code === EXIT.done) result = await run(command);
  expect(`${result.out}${result.err}`).toMatch(shows);
  expect(result.code).toBe(code);
});

/** What those commands left, as the read store shows it a moment later. */
test.each`
  command                                         | shows
  ${'reservation get H3'}                         | ${/number +H3\nidentity +bob\nstate +COMPLETED\nresource +hall\nplaces +1 HELD\nreserved +20/}
  ${'reservation get H7'}                         | ${/state +REJECTED\nreason +ACCOUNT_NOT_FOUND\nmoney +5 EUR of x REFUSED\npayee +hotel/}
  ${'reservation list --identity ada'}            | ${/^number +identity +state +resource +places.*\nH7 .*\nH5 +ada +RESERVED.*\nH1 +ada +CANCELLED +hall +1 GIVEN_BACK/}
  ${'reservation list --resource hall --limit 1'} | ${/^number.*\nH3 +bob +COMPLETED.*\n$/}
  ${'reservation list --state COMPLETED --json'}  | ${/^{"number":"H3","identityId":"bob".*"state":"COMPLETED"/}
  ${'reservation capacity hall'}                  | ${/resource +hall\ncapacity +3\ntaken +1\nwaiting +0/}
  ${'reservation identity ada'}                   | ${/identity +ada\nstate +RESERVED\nH5 +RESERVED\nover last +H7 REJECTED ACCOUNT_NOT_FOUND\nparked +0\nsent +0/}
  ${'reservation parked'}                         | ${/^identity +request id +number +accepted +until.*\nmia +m +M1 +20/}
  ${'reservation watch H3'}                       | ${/^20\S+ +COMPLETED +1 HELD\n$/}
`('$command, once projected', async ({ command, shows }: { command: string; shows: RegExp }) => {
  while (!shows.test((await run(command)).out)) await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a reservation that is not there is refused', async () => {
  expect(await run('reservation get nothing')).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('RESERVATION_NOT_FOUND') });
});

test.each(['reserve ada K1', 'extend H5'])('%s with an expiry that no clock reaches is a wrong use', async (command) => {
  expect(await run(`reservation ${command} --expires-in 99999999999999`)).toMatchObject({ code: EXIT.usage, err: expect.stringContaining('--expires-in') });
});

test('for machines, an object', async () => {
  const { out } = await run('reservation reserve ada J1 --json');
  expect(jsonLines(out)).toEqual([
    expect.objectContaining({ identityId: 'ada', number: 'J1', state: 'RESERVED', waiting: false, reason: '', repeated: false }),
  ]);
});
