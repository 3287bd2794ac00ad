/**
 * npm test: installs what is missing, builds, lints, and passes every tier of every project that this machine can run.
 *
 *   npm test                      everything
 *   npm test -- unit int          only these tiers
 *   npm test -- engine e2e        only this project's tier (a name is a tier or a project)
 *   npm test -- long              what takes minutes, and runs only when it is named
 *
 * What cannot run here is named at the end with its reason; with CI=true it counts as failed. The last line is always
 * "N passed, N failed"; the exit code is 0 only if nothing failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { prepare, root } from '../prepare/prepare.mjs';

/** Tests with real processes share the machine with the servers they start, so they run one file at a time. */
const TIERS = [
  { name: 'unit', about: 'pure code', workers: 2 },
  { name: 'int', about: 'one service or adapter with what it stands on', workers: 2 },
  { name: 'e2e', about: 'real processes', workers: 1 },
  { name: 'long', about: 'real processes, minutes each', workers: 1, onlyWhenNamed: true },
];

const inContinuousIntegration = /^(1|true|yes)$/i.test(process.env.CI ?? '');
const wanted = process.argv.slice(2);
const wantedTiers = TIERS.filter(({ name }) => wanted.includes(name));
const tiers = wantedTiers.length > 0 ? wantedTiers : TIERS.filter(({ onlyWhenNamed }) => !onlyWhenNamed);
const projects = wanted.filter((name) => !TIERS.some((tier) => tier.name === name));
const total = { passed: 0, failed: 0, skipped: [] };
const started = Date.now();

// Whatever stops us, the last line says how it ended.
process.on('exit', (code) => {
  if (code !== 0 && total.failed === 0) total.failed = 1;
  console.log(`${total.passed} passed, ${total.failed} failed`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

prepare();
const require = createRequire(join(root, 'package.json'));
if (wanted.length === 0) {
  check('lint', ['tools/lint/lint.mjs', '--max-warnings', '0']);
  check('format', [require.resolve('@biomejs/biome/bin/biome'), 'format', '--reporter=summary', '.']);
}
// Not in the system's temporary folder: what sweeps that must not take the counts with it.
const scratch = join(root, 'node_modules/.cache/sluice-test', String(process.pid));
mkdirSync(scratch, { recursive: true });
try {
  for (const tier of tiers) runTier(tier);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
nameSkipped();
console.log(`\nTook ${Math.round((Date.now() - started) / 1000)} s.`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** A check of the whole workspace counts as one test. */
function check(name, args) {
  heading(name);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) total.passed += 1;
  else total.failed += 1;
  console.log(`${status === 0 ? ' ok ' : 'FAIL'} ${name}`);
}

function runTier({ name, about, workers }) {
  heading(`${name}: ${about}`);
  const report = join(scratch, `${name}.json`);
  const args = [
    require.resolve('jest/bin/jest'),
    '-c',
    join(root, 'tools/test/jest.projects.cjs'),
    '--testPathPatterns',
    `\\.${name}\\.ts$`,
    '--passWithNoTests',
    `--maxWorkers=${workers}`,
  ];
  if (projects.length > 0) args.push('--selectProjects', ...projects);
  const { status, signal } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, SLUICE_TEST_REPORT: report },
  });
  const counted = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { passed: 0, failed: 0, skipped: [] };
  total.passed += counted.passed;
  total.failed += counted.failed;
  total.skipped.push(...counted.skipped);
  // jest itself broke (a configuration, a leak): that is a failure even where every test passed.
  if (status !== 0 && counted.failed === 0) {
    console.log(`FAIL jest ended with ${signal ?? status} in tier ${name}`);
    total.failed += 1;
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
