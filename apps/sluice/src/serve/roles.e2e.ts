/** Who may do what, seen from the command line. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../exit-code';
import { cli, type CliResult } from '../testing/cli-for-tests';
import { configurationFor } from './configuration';
import { type EmbeddedServer, startEmbedded } from './embedded';

let folder: string;
let server: EmbeddedServer;

const POSTER = 'token-of-somebody-who-posts';
const READER = 'token-of-somebody-who-reads';
const OPERATOR = 'token-of-somebody-who-operates';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-roles-'));
  const authFile = join(folder, 'callers.json');
  const tokens = [
    { name: 'shop', token: POSTER, roles: ['post'] },
    { name: 'report', token: READER, roles: ['read'] },
    { name: 'ops', token: OPERATOR, roles: ['operate'] },
  ];
  await writeFile(authFile, JSON.stringify({ tokens }));
  server = await startEmbedded(configurationFor({}, { dataDir: join(folder, 'data'), port: 0, authFile }));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const as = (token: string | undefined, ...argv: string[]): Promise<CliResult> =>
  cli([...argv, '--target', server.address], { environment: token === undefined ? {} : { SLUICE_TOKEN: token } });

const POST = ['account', 'open', 'a', 'EUR', '--request-id', 'open'];
const READ = ['account', 'list'];
const OPERATE = ['status'];

test.each`
  caller            | token                   | command    | code
  ${'nobody'}       | ${undefined}            | ${POST}    | ${EXIT.forbidden}
  ${'nobody'}       | ${undefined}            | ${READ}    | ${EXIT.forbidden}
  ${'a stranger'}   | ${'token-nobody-knows'} | ${READ}    | ${EXIT.forbidden}
  ${'who posts'}    | ${POSTER}               | ${POST}    | ${EXIT.done}
  ${'who posts'}    | ${POSTER}               | ${READ}    | ${EXIT.forbidden}
  ${'who reads'}    | ${READER}               | ${READ}    | ${EXIT.done}
  ${'who reads'}    | ${READER}               | ${POST}    | ${EXIT.forbidden}
  ${'who reads'}    | ${READER}               | ${OPERATE} | ${EXIT.forbidden}
  ${'who operates'} | ${OPERATOR}             | ${OPERATE} | ${EXIT.done}
  ${'who operates'} | ${OPERATOR}             | ${POST}    | ${EXIT.forbidden}
`('$caller: sluice $command', async ({ token, command, code }: { token: string | undefined; command: string[]; code: number }) => {
  const result = await as(token, ...command);
  expect(result.code).toBe(code);
  if (code === EXIT.forbidden)
    expect(result.err).toMatch(
      token === undefined || token.includes('nobody') ? /UNAUTHENTICATED \(NOT_AUTHENTICATED\)/ : /PERMISSION_DENIED \(NOT_AUTHORIZED\)/,
    );
  if (token !== undefined) expect(result.err).not.toContain(token);
});
