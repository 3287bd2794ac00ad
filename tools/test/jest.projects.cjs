/** Every project of the workspace that has tests, in one jest run: workers and the cache of compiled sources are shared. */
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '../..');
const projects = ['libs', 'apps', 'tools', 'test']
  .filter((group) => existsSync(join(root, group)))
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, 'jest.config.cjs')));

// A time limit counts for the whole run: jest does not take it from the projects.
const { testTimeout } = require('../../jest.preset.cjs');

module.exports = { rootDir: root, projects, reporters: [join(__dirname, 'reporter.cjs')], testTimeout };
