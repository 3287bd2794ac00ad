/**
 * The surroundings of a test file: this process as it is, not a context of its own. So every module, ours and others', works with the same classes
 * as in production (`instanceof Error` holds for an error of the driver), and what node_modules holds is loaded once per process (test-runtime.cjs).
 *
 * The trade: a test file that changes a global object changes it for the files after it. What jest itself sets, the environment variables, the working
 * directory and what listens to signals are put back when a test file ends.
 */
const { ModuleMocker } = require('jest-mock');

class TestEnvironment {
  constructor({ projectConfig }) {
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
