/**
 * What stands between a fresh clone and a command that works: installing what is missing, building what has changed. Plain
 * Node, no dependency, because it runs before there are any. Does nothing, in well under a second, when nothing is missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const LOWEST_NODE = [20, 19];
const NODE_BEYOND = 25;

/** @param {{ build?: string }} wanted build: the tsconfig to build, relative to the workspace; default: everything. */
export function prepare({ build = 'tsconfig.json' } = {}) {
  checkNode();
  const missing = missingPackages();
  if (missing.length > 0) install(missing);
  compile(build);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LOWEST_NODE[0] || (major === LOWEST_NODE[0] && minor >= LOWEST_NODE[1])) {
    if (major >= NODE_BEYOND) console.error(`Node ${process.versions.node} is newer than what was tried (20.19 to 24); going on.`);
    return;
  }
  console.error(`Sluice needs Node ${LOWEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Packages of the lock file that are not installed in the version it names; optional ones (other platforms) do not count. */
function missingPackages() {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installedFile = join(root, 'node_modules/.package-lock.json');
  const installed = existsSync(installedFile) ? JSON.parse(readFileSync(installedFile, 'utf8')).packages : {};
  const isMissing = ([path, entry]) => path.includes('node_modules/') && !entry.optional && !entry.peer && installed[path]?.version !== entry.version;
  return Object.entries(wanted)
    .filter(isMissing)
    .map(([path]) => path);
}

function install(missing) {
  console.error(`Installing ${missing.length} packages …`);
  const started = Date.now();
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { status } = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32' && npm === undefined,
  });
  if (status !== 0) {
    console.error('npm ci failed; what it said stands above.');
    process.exit(status ?? 1);
  }
  console.error(`Installed in ${seconds(started)}.`);
}

function compile(project) {
  const started = Date.now();
  const compiler = join(root, 'node_modules/@typescript/native-preview/bin/tsgo');
  const { status } = spawnSync(process.execPath, [compiler, '-b', project], { cwd: root, stdio: ['ignore', process.stderr, process.stderr] });
  if (status !== 0) {
    console.error('The build failed; what the compiler said stands above.');
    process.exit(status ?? 1);
  }
  if (Date.now() - started > 3_000) console.error(`Built in ${seconds(started)}.`);
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
