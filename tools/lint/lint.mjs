/**
 * Lints the whole workspace in one process: loading the types once is several times faster than once per project. The rule of
 * the module boundaries reads nx's project graph, which has to be made first. Arguments go to eslint (`npm run lint -- --fix`).
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(import.meta.url);
const environment = { ...process.env, NX_DAEMON: 'false' };

function run(script, args, stdio) {
  const { status, signal } = spawnSync(process.execPath, [script, ...args], { cwd: root, env: environment, stdio });
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

run(require.resolve('nx/bin/nx.js'), ['show', 'projects', '--json'], ['ignore', 'ignore', 'inherit']);
run(
  join(dirname(require.resolve('eslint/package.json')), 'bin/eslint.js'),
  ['apps', 'libs', 'test', 'tools', '--no-error-on-unmatched-pattern', ...process.argv.slice(2)],
  'inherit',
);
