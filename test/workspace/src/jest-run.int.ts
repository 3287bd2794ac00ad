/** How the gate ends a jest process that does not end by itself. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from './manifests';

const run = promisify(execFile);
const JEST_RUN = pathToFileURL(join(ROOT, 'tools/test/jest-run.mjs')).href;

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly files: readonly string[];
  readonly troubles: readonly string[];
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-jest-run-'));
  const reporter = JSON.stringify(join(ROOT, 'tools/test/reporter.cjs'));
  writeFileSync(
    join(folder, 'jest.config.cjs'),
    `module.exports = { rootDir: ${JSON.stringify(folder)}, testMatch: ['**/*.case.js'], reporters: [${reporter}] };`,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The result of a run over one test file; limits as the gate's, only shorter. */
async function resultOf(testFile: string, limits: object = {}): Promise<Result> {
  writeFileSync(join(folder, 'one.case.js'), testFile);
  const options = {
    root: folder,
    config: join(folder, 'jest.config.cjs'),
    args: ['--maxWorkers=1'],
    report: join(folder, 'report.json'),
    environment: { SLUICE_TEST_ENDS_WITHIN_MS: '1000' },
    ...limits,
  };
  const program = `import { runJest } from ${JSON.stringify(JEST_RUN)}; console.log(JSON.stringify(await runJest(${JSON.stringify(options)})));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Result;
}

test('a run that ends by itself is counted as it is', async () => {
  const { passed, failed, files, troubles } = await resultOf(`test('one', () => undefined); test('two', () => expect(1).toBe(2));`);
  expect({ passed, failed, files, troubles }).toEqual({ passed: 1, failed: 1, files: ['one.case.js'], troubles: [] });
});

test('what keeps the process alive after its tests is named with the test file, and fails the run', async () => {
  const { passed, failed, troubles } = await resultOf(`test('listens', (done) => void require('node:net').createServer().listen(0, '127.0.0.1', done));`);
  expect({ passed, failed }).toEqual({ passed: 1, failed: 1 });
  expect(troubles).toEqual([expect.stringMatching(/^tests left open: server at 127\.0\.0\.1:\d+, since one\.case\.js/)]);
});

test('a test file that does not end is named, and fails the run', async () => {
  const { failed, troubles } = await resultOf(`test('is busy for ever', () => { for (;;); });`, { fileWithinMs: 8_000 });
  expect(failed).toBe(1);
  expect(troubles).toEqual([expect.stringMatching(/^no test file ended for \d+ s; running: one\.case\.js$/)]);
});

test('a jest that breaks without a failed test fails the run', async () => {
  const { failed, troubles } = await resultOf('', { config: join(folder, 'missing.cjs') });
  expect({ failed, troubles }).toEqual({ failed: 1, troubles: ['jest ended with 1'] });
});
