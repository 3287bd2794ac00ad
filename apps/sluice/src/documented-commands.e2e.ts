/** What the documents tell a new user to type, run as it stands: each command ends with 0. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configurationFor } from './serve/configuration';
import { type EmbeddedServer, startEmbedded } from './serve/embedded';
import { cli, type CliResult, cliOnceProjected } from './testing/cli-for-tests';

const ROOT = join(__dirname, '..', '..', '..');
/** Run by tests of their own, because they need a server that is stopped, or a folder that is damaged. */
const ELSEWHERE = /^sluice (serve|log repair)\b/;
/** End by Ctrl-C. */
const ENDLESS = /^sluice (account watch|log tail)\b/;

/** The command lines in the blocks of shell of a document. */
function commandsOf(document: string): string[] {
  const blocks = [...readFileSync(join(ROOT, document), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text as string);
  return blocks
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replace(/^npx /, '').replace(/ +#.*$/, ''))
    .filter((line) => line.startsWith('sluice ') && !ELSEWHERE.test(line));
}

/** The words of a command line, as a shell makes them. */
function wordsOf(line: string): string[] {
  return execFileSync('sh', ['-c', `sluice() { printf '%s\\n' "$@"; }; ${line}`], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1);
}

let folder: string;
let server: EmbeddedServer | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-documented-'));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }));
});

afterEach(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

test.each([
  ['README.md', 4],
  ['docs/getting-started.md', 21],
  ['docs/accounts.md', 5],
  ['docs/reservations.md', 13],
  ['docs/business-days.md', 18],
])('%s', async (document, atLeast) => {
  const { address = '' } = server ?? {};
  const environment = { SLUICE_TARGET: address, SLUICE_PORT: address.split(':')[1], SLUICE_DATA_DIR: folder };
  // What the page takes for granted: accounts that were opened on the page before.
  if (document === 'docs/accounts.md' || document === 'docs/reservations.md') {
    for (const account of ['wallet-1', 'wallet-2', 'hotel']) await cli(['account', 'open', account, 'EUR'], { environment });
    await cli(['account', 'post', 'wallet-1', 'CREDIT', '9000', 'EUR'], { environment });
  }
  const commands = commandsOf(document);
  expect(commands.length).toBeGreaterThanOrEqual(atLeast);
  for (const line of commands) {
    const { code, err } = ENDLESS.test(line) ? await watched(wordsOf(line), environment) : await cliOnceProjected(wordsOf(line), { environment });
    expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
  }
});

/** Interrupts the command when it has shown something. Postings go on until then, so that there is something to show. */
async function watched(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<CliResult> {
  const interruption = new AbortController();
  const result = cli(words, { environment, interrupted: interruption.signal, seen: () => interruption.abort() });
  while (!interruption.signal.aborted) await cli(['account', 'post', 'wallet-3', 'CREDIT', '1', 'EUR'], { environment });
  return result;
}
