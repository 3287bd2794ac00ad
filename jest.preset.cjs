/** Shared by every project: tests run from source; the tier is the file's suffix (.unit, .int, .e2e, .long). */
const compiler = ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' }, sourceMaps: 'inline' }];

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/src/**/*.(unit|int|e2e|long).ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/out-tsc/'],
  modulePathIgnorePatterns: ['/dist/'],
  // jose is an ES module, and jest runs CommonJS: it is compiled like our own code.
  transform: { '^.+\\.ts$': compiler, '/node_modules/jose/.+\\.js$': compiler },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  testEnvironmentOptions: { customExportConditions: ['@sluice/source', 'node', 'require', 'default'] },
  moduleFileExtensions: ['ts', 'js', 'cjs', 'json'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 60000,
};
