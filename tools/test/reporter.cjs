/**
 * One line per test file, and everything about what failed: nothing else, so that a reader finds what matters. How it stands goes to the file
 * named by SLUICE_TEST_REPORT, after each test file.
 *
 * A file that takes long is told with the processor time that its worker and the processes that it started have used.
 *
 * A process that is still there when all tests are over says what keeps it alive, and ends with an error.
 */
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { relative } = require('node:path');
const { attributeTo, openHandles } = require('./open-handles.cjs');

const SLOW_MS = 5_000;
/** So long a process may take to end by itself. */
const ENDS_WITHIN_MS = Number(process.env.SLUICE_TEST_ENDS_WITHIN_MS ?? 15_000);

module.exports = class TierReporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.report = { passed: 0, failed: 0, skipped: [], running: [], files: [], failedFiles: [], over: false, open: [] };
  }

  onTestFileStart({ path }) {
    this.report.running.push(relative(this.root, path));
    this.write();
  }

  onTestFileResult(_test, result) {
    const { report } = this;
    const file = relative(this.root, result.testFilePath);
    const { numPassingTests: passed, numFailingTests: failed } = result;
    const broken = result.testExecError !== undefined && result.testExecError !== null && failed === 0 ? 1 : 0;
    const skipped = result.testResults.filter(({ status }) => status === 'pending' || status === 'todo' || status === 'disabled');
    report.passed += passed;
    report.failed += failed + broken;
    for (const { fullName } of skipped) report.skipped.push({ file, name: fullName });
    report.running = report.running.filter((running) => running !== file);
    report.files.push(file);
    if (failed + broken > 0) report.failedFiles.push({ file, passed, failed: failed + broken });

    const tookMs = result.perfStats.end - result.perfStats.start;
    const took = tookMs > SLOW_MS ? `  ${(tookMs / 1000).toFixed(1)} s${this.processorTime(result.testFilePath)}` : '';
    const left = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
    console.log(`${failed + broken > 0 ? 'FAIL' : ' ok '} ${file}  ${passed} passed${left}${took}`);
    if (failed + broken > 0 && result.failureMessage) console.log(result.failureMessage);
    attributeTo(file);
    this.write();
  }

  /** As the environment of the test file has told it. */
  processorTime(path) {
    const file = `${process.env.SLUICE_TEST_REPORT}.processor`;
    if (!existsSync(file)) return '';
    const told = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const found = told.findLast((each) => each.file === path);
    return found === undefined ? '' : `, processor ${found.own.toFixed(1)} s and ${found.children.toFixed(1)} s of its processes`;
  }

  onRunComplete() {
    this.report.over = true;
    this.write();
    setTimeout(() => {
      this.report.open = openHandles();
      this.write();
      console.log(`FAIL jest is still there ${ENDS_WITHIN_MS / 1000} s after its last test. Open are:`);
      for (const open of this.report.open) console.log(`       ${open}`);
      process.exit(1);
    }, ENDS_WITHIN_MS).unref();
  }

  /** Whoever reads it finds it whole. */
  write() {
    const file = process.env.SLUICE_TEST_REPORT;
    if (!file) return;
    writeFileSync(`${file}.next`, JSON.stringify(this.report));
    renameSync(`${file}.next`, file);
  }
};
