/**
 * The surroundings of a test file: this process as it is, not a context of its own. So every module, ours and others', works with the same classes
 * as in production (`instanceof Error` holds for an error of the driver), and what node_modules holds is loaded once per process (test-runtime.cjs).
 *
 * The trade: a test file that changes a global object changes it for the files after it. What jest itself sets, the environment variables, the working
 * directory and what listens to signals are put back when a test file ends.
 */
const { appendFileSync } = require('node:fs');
const { ModuleMocker } = require('jest-mock');
const { childrenSeconds, ownSeconds } = require('./processor-time.cjs');

class TestEnvironment {
  constructor({ projectConfig }, { testPath }) {
    this.testPath = testPath;
    this.secondsBefore = { own: ownSeconds(), children: childrenSeconds() };
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    // Time of tests is the Clock port.
    this.fakeTimers = null;
    this.fakeTimersModern = null;
    this.conditions = projectConfig.testEnvironmentOptions.customExportConditions ?? ['node'];
    this.before = { console: globalThis.console, exit: process.exit, folder: process.cwd(), environment: { ...process.env }, listeners: signalListeners() };
  }

  async setup() {
    // Nothing has to be made.
  }

  async teardown() {
    this.tellProcessorTime();
    const { console, exit, folder, environment, listeners } = this.before;
    globalThis.console = console;
    process.exit = exit;
    if (process.cwd() !== folder) process.chdir(folder);
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    for (const [signal, now] of signalListeners()) {
      for (const listener of now) if (!listeners.get(signal)?.includes(listener)) process.removeListener(signal, listener);
    }
  }

  /** A line for the reporter, which is in another process. */
  tellProcessorTime() {
    const file = process.env.SLUICE_TEST_REPORT;
    if (!file) return;
    const { own, children } = this.secondsBefore;
    appendFileSync(`${file}.processor`, `${JSON.stringify({ file: this.testPath, own: ownSeconds() - own, children: childrenSeconds() - children })}\n`);
  }

  exportConditions() {
    return this.conditions;
  }

  /** jest asks for it; nothing is run in it. */
  getVmContext() {
    return null;
  }
}

/** Signal → what of this process listens to it. Other listeners may belong to modules that stay loaded. */
function signalListeners() {
  const signals = process.eventNames().filter((event) => typeof event === 'string' && event.startsWith('SIG'));
  return new Map(signals.map((signal) => [signal, process.rawListeners(signal)]));
}

module.exports = TestEnvironment;
