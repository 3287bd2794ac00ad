/**
 * What review should not have to look for: module boundaries, purity of the domain, promises nobody awaits, switches that
 * forget a case. Formatting is biome's. Everything of the presets is on; an exception stands below with its reason.
 */
const nx = require('@nx/eslint-plugin');
const tseslint = require('typescript-eslint');
const { builtinModules } = require('node:module');
const capabilityBoundaries = require('./tools/lint/capability-boundaries.cjs');

/**
 * Who may import whom, by the tags in the package manifests. Dependencies point inwards: the domain knows nobody, adapters
 * know only the ports they implement, services are put together in apps/sluice and nowhere else.
 */
const MODULE_BOUNDARIES = [
  { sourceTag: 'type:domain', onlyDependOnLibsWithTags: [], bannedExternalImports: ['*'] },
  { sourceTag: 'type:ports', onlyDependOnLibsWithTags: [], bannedExternalImports: ['*'] },
  { sourceTag: 'type:protocol', onlyDependOnLibsWithTags: ['type:domain'] },
  { sourceTag: 'type:adapter', onlyDependOnLibsWithTags: ['type:ports'] },
  { sourceTag: 'type:leases', onlyDependOnLibsWithTags: ['type:ports'] },
  { sourceTag: 'type:engine', onlyDependOnLibsWithTags: ['type:domain', 'type:ports', 'type:protocol'] },
  { sourceTag: 'type:projections', onlyDependOnLibsWithTags: ['type:domain', 'type:ports', 'type:protocol'] },
  { sourceTag: 'type:telemetry', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:domain', 'type:ports', 'type:protocol', 'type:telemetry'] },
  { sourceTag: 'type:process', onlyDependOnLibsWithTags: ['type:ports', 'type:leases', 'type:adapter', 'type:telemetry', 'type:service'] },
  { sourceTag: 'type:handlers', onlyDependOnLibsWithTags: ['type:protocol'] },
  { sourceTag: 'type:client', onlyDependOnLibsWithTags: ['type:protocol', 'type:handlers'] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:domain', 'type:ports', 'type:protocol', 'type:adapter'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'type:domain',
      'type:ports',
      'type:leases',
      'type:protocol',
      'type:adapter',
      'type:engine',
      'type:projections',
      'type:telemetry',
      'type:service',
      'type:process',
      'type:client',
      'type:handlers',
    ],
  },
  // Not by exclusion: that would count what the tests of an adapter depend on.
  {
    sourceTag: 'type:assembly',
    onlyDependOnLibsWithTags: [
      'domain',
      'ports',
      'protocol',
      'leases',
      'adapter',
      'engine',
      'projections',
      'telemetry',
      'service',
      'client',
      'app',
      'tool',
    ].map((name) => `type:${name}`),
  },
  // Tests over several projects take them as they are.
  { sourceTag: 'type:test', onlyDependOnLibsWithTags: ['*'] },
  {
    sourceTag: 'type:tool',
    onlyDependOnLibsWithTags: ['domain', 'ports', 'protocol', 'engine', 'leases', 'adapter', 'telemetry', 'service', 'process', 'client', 'tool'].map(
      (name) => `type:${name}`,
    ),
  },
];

/** Tests may reach for the contract suites and for other adapters; that makes a circle with the testing library only. */
const CIRCLES_BY_TESTS = ['domain', 'ports', 'protocol', 'memory', 'store-sqlite', 'store-mongo', 'bus-nats', 'engine', 'projections'].map((library) => [
  library,
  'testing',
]);

const TESTS = ['**/*.{unit,int,e2e,long}.ts', '**/src/test/**/*.ts', 'test/*/src/**/*.ts'];
/** Libraries with an entry per capability, beside the one for what is shared. */
const ENTRIES = ['domain', 'protocol', 'projections'].map((library) => `!@sluice/${library}/*`);
const DEEP_IMPORT = { group: ['@sluice/*/*', ...ENTRIES, '@sluice/*/*/*'], message: 'A library has one entry, and some have one per capability.' };

module.exports = tseslint.config(
  {
    ignores: [
      'test/capability/**',
      '**/dist/**',
      '**/out-tsc/**',
      '**/node_modules/**',
      '.nx/**',
      'libs/protocol/src/generated/**',
      '**/*.cjs',
      '**/*.mjs',
      '**/*.js',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    plugins: { '@nx': nx, sluice: { rules: { 'capability-boundaries': capabilityBoundaries } } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { depConstraints: MODULE_BOUNDARIES, ignoredCircularDependencies: CIRCLES_BY_TESTS, allow: [], banTransitiveDependencies: false },
      ],
      'sluice/capability-boundaries': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-restricted-imports': ['error', { patterns: [DEEP_IMPORT] }],
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      // A method that implements an asynchronous port may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // What is read from the wire by hand is a number until it is compared.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      // bigint and number in messages are what we print; objects are still found by no-base-to-string.
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    files: ['libs/domain/src/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-imports': ['error', { paths: builtinModules, patterns: [DEEP_IMPORT, { group: ['node:*'], message: 'The domain is pure.' }] }],
      // Time, randomness and the machine come in as data.
      'no-restricted-globals': [
        'error',
        'Date',
        'performance',
        'process',
        'Buffer',
        'crypto',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'queueMicrotask',
        'fetch',
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'The domain is pure.' }],
    },
  },
  {
    // A planted defect changes what a library keeps to itself.
    files: ['test/simulation/defects/*.ts', 'test/simulation/*/*-defects.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  {
    // Programs that people look at.
    files: ['apps/sluice/src/**/*.ts', 'tools/*/src/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: TESTS,
    rules: {
      '@nx/enforce-module-boundaries': 'off',
      // Tests look into parsed JSON and into what matchers take, which have no types worth writing.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
