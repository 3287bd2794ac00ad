/** Shared by every project: tests run from source; the tier is the file's suffix (.unit, .int, .e2e, .long). */
const { join } = require('node:path');

const compiler = ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' }, sourceMaps: 'inline' }];

module.exports = {
  testEnvironment: join(__dirname, 'tools/test/test-environment.cjs'),
  runtime: join(__dirname, 'tools/test/test-runtime.cjs'),
  testMatch: ['**/src/**/*.(unit|int|e2e|long).ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/out-tsc/'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: { '^.+\\.ts$': compiler },
  testEnvironmentOptions: { customExportConditions: ['@sluice/source', 'node', 'require', 'default'] },
  moduleFileExtensions: ['ts', 'js', 'cjs', 'json'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Against a test that hangs, also on a machine where everything takes several times as long.
  testTimeout: 300000,
};
