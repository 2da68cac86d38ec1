/** Who may import whom; docs/architecture.md says why. */
const own = '^(libs|apps)/';
const lib = (name, ...allowed) => ({
  name: `${name}-imports-only-${allowed.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^libs/${name}/`, pathNot: '\\.spec\\.ts$' },
  to: { path: own, pathNot: [`^libs/${name}/`, ...allowed.map((each) => `^libs/${each}/`)] },
});

/** What a backend needs for its registry is visible in its own folder alone. */
const vendor = (backend, ...packages) => ({
  name: `${packages.join('-and-')}-in-libs-backends-${backend}`,
  severity: 'error',
  from: { pathNot: [`^libs/backends/${backend}/`, '\\.spec\\.ts$', '/testing/', '^test/'] },
  to: { path: packages.map((each) => `^node_modules/${each}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      // node:net for the type of a lookup alone.
      name: 'core-imports-only-zod',
      severity: 'error',
      from: { path: '^libs/core/', pathNot: '^libs/core/testing/|\\.spec\\.ts$' },
      to: { pathNot: ['^libs/core/', '^node_modules/zod/', '^net$'] },
    },
    lib('backends', 'core'),
    lib('balancing', 'core'),
    lib('health', 'core'),
    lib('catalog', 'core'),
    lib('configuration', 'core'),
    lib('telemetry', 'core'),
    lib('client', 'core', 'balancing'),
    lib('client-nest', 'client'),
    {
      name: 'cli-imports-only-client',
      severity: 'error',
      from: { path: '^apps/cli/' },
      to: { path: own, pathNot: ['^apps/cli/', '^libs/client/'] },
    },
    {
      name: 'commander-yaml-and-string-width-in-cli',
      severity: 'error',
      from: { pathNot: ['^apps/cli/', '^test/'] },
      to: { path: ['^node_modules/commander/', '^node_modules/yaml/', '^node_modules/string-width/'] },
    },
    {
      name: 'libs-by-their-index',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)|apps)/' },
      to: {
        path: '^libs/([^/]+)/.+',
        pathNot: ['^libs/$1/', '^libs/[^/]+/index\\.ts$', '^libs/core/testing/index\\.ts$'],
      },
    },
    {
      name: 'only-tests-import-testing',
      severity: 'error',
      from: { pathNot: ['\\.spec\\.ts$', '/testing/', '^test/'] },
      to: { path: '/testing/' },
    },
    {
      name: 'no-nest-in-libs',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/client-nest/' },
      to: { path: '^node_modules/@nestjs/' },
    },
    {
      name: 'swagger-when-asked-for',
      severity: 'error',
      from: {},
      to: { path: '^node_modules/@nestjs/swagger/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tracing-sdk-when-traced',
      severity: 'error',
      from: { pathNot: ['^libs/telemetry/(tracing-sdk|told-exporter|exporters/[^/]+)\\.ts$', '^test/'] },
      to: { path: '^node_modules/@opentelemetry/(?!api/|context-async-hooks/)', dependencyTypesNot: ['type-only'] },
    },
    vendor('memory', 'classic-level'),
    vendor('consul', 'consul'),
    vendor('etcd', 'etcd3', '@grpc/grpc-js'),
    {
      name: 'cockatiel-in-etcd-and-the-client',
      severity: 'error',
      from: { pathNot: ['^libs/backends/etcd/', '^libs/client/', '\\.spec\\.ts$', '/testing/', '^test/'] },
      to: { path: '^node_modules/cockatiel/' },
    },
    vendor('kubernetes', '@kubernetes/client-node'),
    vendor('redis', 'ioredis'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
