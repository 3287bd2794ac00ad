/**
 * Lints the whole workspace, or the files that are named. The rule of the module boundaries reads nx's project graph, which has to be made first.
 * Arguments go to oxlint (`npm run lint -- --fix`).
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(import.meta.url);
// For so few projects neither nx's daemon nor a process for each of its plugins is worth its start.
const environment = { ...process.env, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false' };
const options = process.argv.slice(2);
const named = options.some((option) => !option.startsWith('-') && /\.ts$/.test(option));

function run(script, args, stdio) {
  const { status, signal } = spawnSync(process.execPath, [script, ...args], { cwd: root, env: environment, stdio });
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

run(require.resolve('nx/bin/nx.js'), ['show', 'projects', '--json'], ['ignore', 'ignore', 'inherit']);
run(join(dirname(require.resolve('oxlint/package.json')), 'bin/oxlint'), [...(named ? [] : ['apps', 'libs', 'test', 'tools']), ...options], 'inherit');
