/** What users get: the package is made, installed where nothing of the workspace can be seen, and the README's example runs. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import { accepted, refused, startScriptedServices } from './testing/scripted-services';

const run = promisify(execFile);
const LIBRARY = join(__dirname, '..');
const INSTALL_TIMEOUT_MS = 120_000;

/** Just enough of the services for the example: one account, credits, and debits that it cannot pay. */
function oneWallet() {
  let balanceMinor = 0n;
  let entries = 0n;
  return startScriptedServices({
    commands: {
      openAccount: ({ request }, callback) => callback(null, accountpb.OpenAccountResponse.fromPartial({ result: { accountId: request.account?.accountId } })),
      postBatch: ({ request }, callback) => {
        const results = request.postings.map(({ type, amountMinor }) => {
          if (type !== accountpb.PostingType.POSTING_TYPE_CREDIT) return refused(status.FAILED_PRECONDITION, 'INSUFFICIENT_FUNDS', balanceMinor);
          balanceMinor += amountMinor;
          entries += 1n;
          return accepted(balanceMinor);
        });
        callback(null, { results, positionToken: '', acceptedCount: 0 });
      },
    },
    queries: {
      getAccount: ({ request }, callback) =>
        callback(null, accountpb.GetAccountResponse.fromPartial({ account: { accountId: request.accountId, balanceMinor, entryCount: entries } })),
    },
  });
}

test('the README shows the example as it is', async () => {
  const [readme, example] = await Promise.all([readFile(join(LIBRARY, 'README.md'), 'utf8'), readFile(join(LIBRARY, 'example', 'wallet.mjs'), 'utf8')]);
  expect(readme).toContain(`<!-- example/wallet.mjs -->\n\`\`\`js\n${example}\`\`\``);
  expect(example.trimEnd().split('\n')).toHaveLength(15);
});

test(
  'the packed library installs alone, is typed, and runs the example',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-client-package-'));
    const services = await oneWallet();
    try {
      await run('npm', ['pack', '--pack-destination', folder], { cwd: LIBRARY });
      const [archive] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
      await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'a-user-of-sluice', private: true, type: 'module' }));
      await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, archive ?? '')], { cwd: folder });
      expect(await readdir(join(folder, 'node_modules', '@sluice'))).toEqual(['client']);

      await writeFile(join(folder, 'wallet.mjs'), await readFile(join(LIBRARY, 'example', 'wallet.mjs')));
      const { stdout } = await run(process.execPath, ['wallet.mjs'], { cwd: folder, env: { ...process.env, SLUICE_TARGET: services.target } });
      expect(stdout).toBe('INSUFFICIENT_FUNDS at 25000\n25000 in 100 entries\n');

      // Its threads begin with the file that comes with it.
      await writeFile(join(folder, 'handlers.mjs'), "throw new Error('thrown in a thread')");
      const beginWorker =
        "import { SluiceClient } from '@sluice/client'; await new SluiceClient().tasks.worker({ queues: ['q'] }).handleModule('./handlers.mjs').begin();";
      await expect(run(process.execPath, ['--input-type=module', '--eval', beginWorker], { cwd: folder })).rejects.toThrow('thrown in a thread');

      await writeFile(
        join(folder, 'typed.ts'),
        "import { type Account, SluiceClient, SluiceError } from '@sluice/client';\nexport const balance = async (client: SluiceClient): Promise<bigint> => ((await client.accounts.get('a')) satisfies Account).balanceMinor;\nexport const wrong: Promise<string> = new SluiceClient().accounts.get('a');\nexport const reason = (error: SluiceError): string => error.reason;\n",
      );
      const compiler = join(LIBRARY, '..', '..', 'node_modules', '.bin', 'tsgo');
      const compile = run(
        compiler,
        [
          '--noEmit',
          '--pretty',
          'false',
          '--strict',
          '--target',
          'es2022',
          '--module',
          'nodenext',
          '--types',
          'node',
          '--typeRoots',
          join(LIBRARY, '..', '..', 'node_modules', '@types'),
          'typed.ts',
        ],
        { cwd: folder },
      );
      // Exactly the one wrong line is refused: the types are there and complete.
      await expect(compile).rejects.toMatchObject({ stdout: expect.stringMatching(/^typed\.ts\(3,14\): error TS2322[^\n]*\n?(?: [^\n]*\n?)*$/) as string });
    } finally {
      services.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  INSTALL_TIMEOUT_MS,
);
