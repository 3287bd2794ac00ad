/**
 * One line per test file, everything about what failed, and the list of what was skipped: nothing else, so that a reader
 * finds what matters. What it counted goes to the file named by SLUICE_TEST_REPORT.
 */
const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');

const SLOW_MS = 5_000;

module.exports = class TierReporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.report = { passed: 0, failed: 0, skipped: [] };
  }

  onTestResult(_test, result) {
    const file = relative(this.root, result.testFilePath);
    const { numPassingTests: passed, numFailingTests: failed } = result;
    const broken = result.testExecError !== undefined && result.testExecError !== null && failed === 0 ? 1 : 0;
    const skipped = result.testResults.filter(({ status }) => status === 'pending' || status === 'todo' || status === 'disabled');
    this.report.passed += passed;
    this.report.failed += failed + broken;
    for (const { fullName } of skipped) this.report.skipped.push({ file, name: fullName });

    const tookMs = result.perfStats.end - result.perfStats.start;
    const took = tookMs > SLOW_MS ? `  ${(tookMs / 1000).toFixed(1)} s` : '';
    const left = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
    console.log(`${failed + broken > 0 ? 'FAIL' : ' ok '} ${file}  ${passed} passed${left}${took}`);
    if (failed + broken > 0 && result.failureMessage) console.log(result.failureMessage);
  }

  onRunComplete() {
    if (process.env.SLUICE_TEST_REPORT) writeFileSync(process.env.SLUICE_TEST_REPORT, JSON.stringify(this.report));
  }
};
