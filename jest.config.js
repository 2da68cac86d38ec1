/** @type {import('jest').Config} */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

/** The integration suites of a backend, on a real server that they share. */
const backend = (type) => ({
  ...shared,
  displayName: type,
  testMatch: [`<rootDir>/test/backends/${type}/**/*.spec.ts`],
  // A file each: jest runs one that several projects name for the first of them alone.
  globalSetup: `<rootDir>/test/backends/${type}/start-shared.mjs`,
  globalTeardown: '<rootDir>/test/servers/stop-shared.mjs',
});

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{libs,apps}/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/libs/backends/memory/'],
    },
    { ...shared, displayName: 'memory', testMatch: ['<rootDir>/libs/backends/memory/**/*.spec.ts'] },
    ...['consul', 'etcd', 'kubernetes', 'redis'].map(backend),
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(soak|backends|replicas|faults|deploy)/'],
    },
    {
      ...shared,
      displayName: 'replicas',
      testMatch: ['<rootDir>/test/replicas/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/replicas/support/start-shared.mjs',
      globalTeardown: '<rootDir>/test/servers/stop-shared.mjs',
    },
    {
      ...shared,
      displayName: 'deploy',
      testMatch: ['<rootDir>/test/deploy/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/deploy/support/start-shared.mjs',
      globalTeardown: '<rootDir>/test/servers/stop-shared.mjs',
    },
    { ...shared, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.spec.ts'] },
    { ...shared, displayName: 'soak', testMatch: ['<rootDir>/test/soak/**/*.spec.ts'] },
  ],
  collectCoverageFrom: ['{apps,libs}/**/*.ts', '!**/*.spec.ts', '!**/testing/**'],
  coverageProvider: 'v8',
  coverageThreshold: { global: { lines: 80 } },
  testTimeout: 60_000,
  // Suites wait more than they compute: for servers, time-outs and leases.
  maxWorkers: '100%',
};
