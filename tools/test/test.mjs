/**
 * npm test: installs what is missing, builds, lints, and passes every tier of every project that this machine can run.
 *
 *   npm test                      everything
 *   npm test -- unit int          only these tiers
 *   npm test -- engine e2e        only this project's tier (a name is a tier or a project)
 *   npm test -- long              what takes minutes, and runs only when it is named
 *
 * Two lanes run side by side. In the one run tests that hold real processes to promises of time (a gap in service, a lag, the life of a lease), few
 * at a time. They wait more than they work. In the other everything else runs, with a lower priority, so that it takes what the first leaves.
 *
 *   timed   int of the leases ► e2e of faults and chaos ──────────────►
 *   rest    lint ► format ► unit ► int of the others ► e2e of the others ►
 *
 * A few files that failed beside others run once more at the end, alone: what counts is how they end then. Each is named, since a test that
 * depends on what else the machine does is to be mended.
 *
 * What cannot run here is named at the end with its reason; with CI=true it counts as failed, as does a test file that nothing ran. The last line is
 * always "N passed, N failed"; the exit code is 0 only if nothing failed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

const TIERS = [
  { name: 'unit', about: 'pure code' },
  { name: 'int', about: 'one service or adapter with what it stands on' },
  { name: 'e2e', about: 'real processes' },
  { name: 'long', about: 'real processes, minutes each', onlyWhenNamed: true },
];
/** Tier → projects whose tests are of the lane for promises of time. */
const TIMED = { unit: [], int: ['process', 'bus-nats'], e2e: ['faults', 'chaos'], long: ['faults'] };
/** Of leases several at once; of deployments one, which takes a machine by itself. */
const TIMED_WORKERS = { int: 2, e2e: 1, long: 1 };
const WORKERS = 2;
/** Where more files failed, it is not for what ran beside them. */
const MAXIMUM_ONCE_MORE = 5;
/** Of the other lane. What starts servers is not to wait as long as what only computes. */
const NICENESS = { lint: 10, format: 10, unit: 10, int: 5, e2e: 5, long: 5 };

const inContinuousIntegration = /^(1|true|yes)$/i.test(process.env.CI ?? '');
const wanted = process.argv.slice(2);
const wantedTiers = TIERS.filter(({ name }) => wanted.includes(name));
const tiers = wantedTiers.length > 0 ? wantedTiers : TIERS.filter(({ onlyWhenNamed }) => !onlyWhenNamed);
const wantedProjects = wanted.filter((name) => !TIERS.some((tier) => tier.name === name));
const total = { passed: 0, failed: 0, skipped: [] };
/** Files with int and e2e tests that failed, with how many passed and failed. Tests of pure code have no excuse. */
const failedBesideOthers = [];
const started = Date.now();

// Whatever stops us, the last line says how it ended.
process.on('exit', (code) => {
  if (code !== 0 && total.failed === 0) total.failed = 1;
  console.log(`${total.passed} passed, ${total.failed} failed`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

prepare();
const require = createRequire(join(root, 'package.json'));
const { testedFolders, testFiles } = require(join(root, 'tools/test/tested-folders.cjs'));
const { lowerPriority, runJest } = await import('./jest-run.mjs');
const { endedChildSeconds } = require(join(root, 'tools/test/processor-time.cjs'));
// What installing and building took.
endedChildSeconds();
const folders = testedFolders();
const unknown = wantedProjects.filter((name) => !folders.has(name));
if (unknown.length > 0) {
  console.error(
    `There is no tier or project ${unknown.join(', ')}. Tiers: ${TIERS.map(({ name }) => name).join(', ')}. Projects: ${[...folders.keys()].join(', ')}.`,
  );
  process.exit(2);
}
const projects = wantedProjects.length > 0 ? wantedProjects : [...folders.keys()];
// Not in the system's temporary folder: what sweeps that must not take the counts with it.
const scratch = join(root, 'node_modules/.cache/sluice-test', String(process.pid));
mkdirSync(scratch, { recursive: true });
try {
  await Promise.all([timedLane(), restLane()]);
  await onceMore();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
nameSkipped();
console.log(`\nTook ${seconds(started)} s.`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function timedLane() {
  if (tiers.some(({ name }) => name !== 'unit')) await getServers();
  for (const tier of tiers) {
    const names = projects.filter((name) => TIMED[tier.name].includes(name));
    await runTier(tier, names, { workers: TIMED_WORKERS[tier.name], niceness: 0 });
  }
}

/** Test files that run at the same time would each make the server that is missing. What cannot be had is told by the tests that want it. */
async function getServers() {
  const child = spawn(process.execPath, [join(root, 'tools/infra/dist/cli.js'), '--get'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', () => resolve(endedChildSeconds()));
  });
}

async function restLane() {
  if (wanted.length === 0) {
    await check('lint', ['tools/lint/lint.mjs', '--deny-warnings']);
    await check('format', [require.resolve('@biomejs/biome/bin/biome'), 'format', '--reporter=summary', '.']);
  }
  for (const tier of tiers) {
    const names = projects.filter((name) => !TIMED[tier.name].includes(name));
    await runTier(tier, names, { workers: WORKERS, niceness: NICENESS[tier.name] });
  }
}

/** A check of the whole workspace counts as one test. */
async function check(name, args) {
  const startedMs = Date.now();
  heading(name);
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  lowerPriority(child.pid, NICENESS[name]);
  const { passed, processorSeconds } = await new Promise((resolve) => {
    child.once('error', () => resolve({ passed: false, processorSeconds: 0 }));
    child.once('exit', (code) => resolve({ passed: code === 0, processorSeconds: endedChildSeconds() }));
  });
  if (passed) total.passed += 1;
  else total.failed += 1;
  console.log(`${passed ? ' ok ' : 'FAIL'} ${name}  ${took(startedMs, processorSeconds)}`);
}

async function runTier({ name, about }, names, { workers, niceness }) {
  const files = names.flatMap((project) => testFiles(folders.get(project), name));
  if (files.length === 0) return;
  const startedMs = Date.now();
  const title = names.every((project) => TIMED[name].includes(project)) ? `${name} of ${names.join(', ')}` : name;
  heading(`${title}: ${about}`);
  const result = await runJest({
    root,
    config: join(root, 'tools/test/jest.all.cjs'),
    args: ['--runTestsByPath', `--maxWorkers=${workers}`, ...files],
    report: join(scratch, `${title}.json`),
    niceness,
  });
  total.passed += result.passed;
  total.failed += result.failed;
  total.skipped.push(...result.skipped);
  if (name !== 'unit') failedBesideOthers.push(...result.failedFiles);
  for (const trouble of result.troubles) console.log(`FAIL ${title}: ${trouble}`);
  const notRun = files.filter((file) => !result.files.includes(file));
  for (const file of notRun) console.log(`FAIL ${file}: nothing ran it`);
  total.failed += notRun.length;
  console.log(`── ${title} took ${took(startedMs, result.processorSeconds)}`);
}

async function onceMore() {
  if (failedBesideOthers.length === 0 || failedBesideOthers.length > MAXIMUM_ONCE_MORE) return;
  heading('once more, alone: what failed beside others');
  for (const [at, { file, passed, failed }] of failedBesideOthers.entries()) {
    const result = await runJest({
      root,
      config: join(root, 'tools/test/jest.all.cjs'),
      args: ['--runTestsByPath', '--runInBand', file],
      report: join(scratch, `once more ${at}.json`),
    });
    total.passed += result.passed - passed;
    total.failed += result.failed - failed;
    for (const trouble of result.troubles) console.log(`FAIL ${file}: ${trouble}`);
    if (result.failed === 0) console.log(`BUSY ${file}: failed beside others and passed alone: it depends on what else the machine does`);
  }
}

function nameSkipped() {
  if (total.skipped.length === 0) return;
  heading(`SKIPPED: ${total.skipped.length} tests did not run on this machine`);
  for (const { file, name } of total.skipped) console.log(`${inContinuousIntegration ? 'FAIL' : 'skip'} ${file}: ${name}`);
  if (!inContinuousIntegration) return;
  console.log('With CI=true every test must run: what was skipped counts as failed.');
  total.failed += total.skipped.length;
}

function heading(text) {
  console.log(`\n── ${text}`);
}

function took(sinceMs, processorSeconds) {
  return `${seconds(sinceMs)} s, ${Math.round(processorSeconds)} s of processor`;
}

function seconds(sinceMs) {
  return Math.round((Date.now() - sinceMs) / 1000);
}
