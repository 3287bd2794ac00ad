/**
 * Every test of the workspace as one jest project, so that each source is found and compiled once. The configurations of the packages are for
 * running the tests of one of them by hand.
 */
const { join } = require('node:path');
const preset = require('../../jest.preset.cjs');
const { ROOT, testedFolders } = require('./tested-folders.cjs');

module.exports = {
  ...preset,
  rootDir: ROOT,
  roots: [...testedFolders().values()],
  testMatch: ['**/*.(unit|int|e2e|long).ts'],
  testSequencer: join(__dirname, 'longest-first.cjs'),
  reporters: [join(__dirname, 'reporter.cjs')],
};
