/** The packages that have tests, and their test files. */
const { existsSync, readdirSync } = require('node:fs');
const { join, relative } = require('node:path');

const ROOT = join(__dirname, '../..');
const NO_SOURCES = new Set(['node_modules', 'dist', 'out-tsc']);

/** Project name → absolute path of its folder. */
function testedFolders() {
  const folders = ['libs', 'apps', 'tools', 'test']
    .map((group) => join(ROOT, group))
    .filter((group) => existsSync(group))
    .flatMap((group) => readdirSync(group).map((name) => join(group, name)))
    .filter((folder) => existsSync(join(folder, 'jest.config.cjs')));
  return new Map(folders.map((folder) => [require(join(folder, 'jest.config.cjs')).displayName, folder]));
}

/** Test files of the tier in a project's folder, relative to the workspace. */
function testFiles(folder, tier) {
  return filesBelow(folder)
    .filter((file) => file.endsWith(`.${tier}.ts`))
    .map((file) => relative(ROOT, file));
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return NO_SOURCES.has(entry.name) ? [] : filesBelow(join(folder, entry.name));
    return [join(folder, entry.name)];
  });
}

module.exports = { ROOT, testedFolders, testFiles };
