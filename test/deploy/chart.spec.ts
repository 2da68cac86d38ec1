import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadAllYaml } from '@kubernetes/client-node';
import { hasPrograms } from '../servers/index.js';
import { ServerProcess } from '../support/process.js';
import { lint, objects, template, type KubernetesObject, type Values } from './support/helm.js';
import { manifests } from './support/manifests.js';
import { helm } from './support/tools.js';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const REGISTRY = 'config.registry';
const CONSUL = { [`${REGISTRY}.type`]: 'consul', [`${REGISTRY}.consul.host`]: 'consul.default.svc.cluster.local' };
const ETCD = { [`${REGISTRY}.type`]: 'etcd', [`${REGISTRY}.etcd.hosts`]: '{https://etcd-0:2379,https://etcd-1:2379}' };
const MEMORY = { [`${REGISTRY}.type`]: 'memory' };
const REDIS = { [`${REGISTRY}.type`]: 'redis', [`${REGISTRY}.redis.url`]: 'redis://redis:6379' };
const WRITE = { [`${REGISTRY}.kubernetes.write`]: true };
const RULE = { callers: ['client-certificate:*/web'], role: 'registrar', services: ['web'] };
const EVERYWHERE = { [`${REGISTRY}.kubernetes.namespaces`]: '{*}' };

const CASES: readonly [string, Values][] = [
  ['Kubernetes, some namespaces', { [`${REGISTRY}.kubernetes.namespaces`]: '{shop,billing}' }],
  ['Kubernetes, all namespaces', EVERYWHERE],
  ['Kubernetes, registering', WRITE],
  ['memory', MEMORY],
  ['memory on a volume', { ...MEMORY, 'persistence.enabled': true }],
  ['API keys', { 'auth.apiKeysSecret': 'keys', 'auth.anonymousRole': 'reader' }],
  ['TLS of a Secret', { 'tls.existingSecret': 'own-tls' }],
  [
    'TLS by cert-manager',
    {
      ...{ 'tls.certManager.enabled': true, 'tls.certManager.issuerRef.name': 'ca', 'tls.ca': true },
      'serviceMonitor.enabled': true,
    },
  ],
  [
    'client certificates and rules',
    { 'tls.existingSecret': 'own-tls', 'auth.clientCaSecret': 'callers-ca', 'auth.rules': [RULE] },
  ],
  ['a mesh', { 'proxies.trusted': '{127.0.0.6/32,fd00::/8}', 'proxies.clientCertificates': true }],
  [
    'tracing and limits',
    {
      tracing: { enabled: true, endpoint: 'http://collector:4317', protocol: 'grpc', ratio: 0.05 },
      limits: { requestsPerSecond: 1_000_000, streamsPerCaller: 100 },
    },
  ],
  ['Consul', { ...CONSUL, 'config.existingSecret': 'tokens' }],
  ['etcd with TLS', { ...ETCD, [`${REGISTRY}.tlsSecret`]: 'etcd-tls', [`${REGISTRY}.clientCertificate`]: true }],
  ['Redis, three servers', { ...REDIS, replicaCount: 3, 'config.env.SERVICE_TTL': '60s' }],
  [
    'every option',
    {
      ...{ 'autoscaling.enabled': true, 'networkPolicy.enabled': true, 'podDisruptionBudget.enabled': true },
      ...{ 'serviceMonitor.enabled': true, 'serviceMonitor.labels.release': 'prometheus' },
      ...{ 'podLabels.team': 'platform', 'podAnnotations.note': 'x', 'nodeSelector.disk': 'ssd' },
      ...{ 'service.type': 'LoadBalancer', 'service.port': 80, 'service.annotations.a': 'b' },
      ...{ 'serviceAccount.create': false, 'serviceAccount.name': 'own', 'rbac.create': false },
      ...{ 'imagePullSecrets[0].name': 'regcred', 'image.tag': 'latest', priorityClassName: 'high' },
      ...{ 'tolerations[0].operator': 'Exists', 'shutdown.graceSeconds': 60 },
    },
  ],
];

/** The lines of each object, by its kind and name, without what changes with every release. */
function linesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const objects = text.split(/^---\n/m).filter((each) => each.trim() !== '');
  return new Map(
    objects.map((each) => {
      const [, kind, name, , namespace = ''] = /^kind: (\S+)[^]*?^ {2}name: (\S+)\n( {2}namespace: (\S+))?/m.exec(
        each,
      )!;
      const lines = each.trimEnd().split('\n');
      return [
        `${kind} ${name} ${namespace}`.trim(),
        lines
          .filter((line) => !/# Source|helm.sh\/chart|kubernetes.io\/version|checksum/.test(line))
          .map((line) => line.replace(/(image: .*:)\d+\.\d+\.\d+$/, '$1VERSION')),
      ];
    }),
  );
}

/** Whole objects that the other has not, and of those that it has the lines that differ. */
function difference(text: string, base: string): string {
  const [own, others] = [linesOf(text), linesOf(base)];
  const parts = [...own].map(([object, lines]) => {
    const known = others.get(object);
    if (known === undefined) return lines;
    const gone = known.filter((line) => !lines.includes(line)).map((line) => `- ${line}`);
    const added = lines.filter((line) => !known.includes(line)).map((line) => `+ ${line}`);
    return gone.length + added.length > 0 ? [`# ${object}`, ...gone, ...added] : [];
  });
  const absent = [...others.keys()].filter((object) => !own.has(object)).map((object) => [`# no ${object}`]);
  return [...parts, ...absent]
    .filter((each) => each.length > 0)
    .map((each) => each.join('\n'))
    .join('\n---\n');
}

/** With CI set the runner has failed before, for want of the program. */
(hasPrograms({ programs: [helm] }) ? describe : describe.skip)('the chart', () => {
  it('renders Kubernetes, read-only, unless it is told otherwise', async () => {
    expect(await lint()).toContain('0 chart(s) failed');
    expect(difference(await template(), '')).toMatchSnapshot();
  });

  it.each(CASES)('renders %s, which differs in this', async (_name, values) => {
    expect(await lint(values)).toContain('0 chart(s) failed');
    expect(difference(await template(values), await template())).toMatchSnapshot();
  });

  it.each(CASES)('gives the server variables that it knows: %s', async (_name, values) => {
    const config = (await objects(values)).find(({ kind }) => kind === 'ConfigMap')!;
    const { code, stdout, stderr } = await ServerProcess.run(config.data, ['--print-config']);
    expect([code, stderr]).toEqual([0, '']);
    for (const name of Object.keys(config.data)) expect(stdout).toMatch(new RegExp(`^${name}\\b.*environment`, 'm'));
  });

  it.each<[Values, string]>([
    [{ [`${REGISTRY}.type`]: 'zookeeper' }, "must be one of 'memory', 'consul', 'etcd', 'kubernetes', 'redis'"],
    [{ [`${REGISTRY}.type`]: 'consul' }, 'config.registry.consul.host is missing'],
    [{ [`${REGISTRY}.type`]: 'etcd' }, 'config.registry.etcd.hosts is missing'],
    [{ [`${REGISTRY}.type`]: 'redis' }, 'config.registry.redis.url is missing'],
    [
      { ...ETCD, [`${REGISTRY}.etcd.hosts`]: '{etcd:2379}' },
      "at '/config/registry/etcd/hosts/0': 'etcd:2379' does not",
    ],
    [
      { ...REDIS, [`${REGISTRY}.redis.url`]: 'http://redis' },
      "at '/config/registry/redis/url': 'http://redis' does not",
    ],
    [{ ...CONSUL, [`${REGISTRY}.consul.port`]: 0 }, "at '/config/registry/consul/port': minimum: got 0, want 1"],
    [{ [`${REGISTRY}.consul.hots`]: 'x' }, "additional properties 'hots' not allowed"],
    [{ ...MEMORY, replicaCount: 3 }, 'replicaCount must be 1 with config.registry.type=memory, and is 3'],
    [{ ...MEMORY, 'autoscaling.enabled': true }, 'autoscaling.enabled cannot be with config.registry.type=memory'],
    [{ ...REDIS, 'persistence.enabled': true }, 'persistence.enabled is for config.registry.type=memory'],
    [{ ...WRITE, ...EVERYWHERE }, 'config.registry.kubernetes.namespaces must be empty'],
    [{ [`${REGISTRY}.tlsSecret`]: 'x' }, 'config.registry.tlsSecret is for consul, etcd and redis'],
    [{ ...ETCD, [`${REGISTRY}.clientCertificate`]: true }, 'config.registry.clientCertificate needs'],
    [{ 'tls.ca': true }, 'tls.ca needs'],
    [{ 'tls.certManager.enabled': true }, 'tls.certManager.issuerRef.name is missing'],
    [{ 'tls.certManager.enabled': true, 'tls.existingSecret': 'x' }, 'tls.existingSecret must be empty'],
    [{ 'auth.clientCaSecret': 'x' }, 'auth.clientCaSecret needs tls.existingSecret or tls.certManager.enabled'],
    [{ 'auth.rules': [{ ...RULE, role: 'owner' }] }, "at '/auth/rules/0/role': value must be one of 'reader'"],
    [
      { 'auth.rules': [{ ...RULE, service: 'web' }] },
      "at '/auth/rules/0': additional properties 'service' not allowed",
    ],
    [{ 'auth.apiKeysSecret': 'x', 'auth.disabled': true }, 'auth.disabled must be false with auth.apiKeysSecret'],
    [{ 'proxies.clientCertificates': true }, 'proxies.clientCertificates needs proxies.trusted'],
    [{ 'proxies.trusted': '{10.0.0.0}' }, "at '/proxies/trusted/0': '10.0.0.0' does not"],
    [{ 'limits.requestsPerSecond': -1 }, "at '/limits/requestsPerSecond': minimum: got -1, want 0"],
    [{ 'tracing.enabled': true }, 'tracing.endpoint is missing'],
    [{ 'tracing.endpoint': 'collector:4318' }, "at '/tracing/endpoint': 'collector:4318' does not"],
    [{ 'tracing.ratio': 5 }, "at '/tracing/ratio': maximum: got 5, want 1"],
    [{ 'config.env.service-ttl': '5s' }, "'service-ttl' does not match pattern"],
  ])('refuses %j', async (values, message) => {
    await expect(template(values)).rejects.toThrow(message);
  });

  it('is what k8s/ was made of', async () => {
    for (const [name, text] of Object.entries(await manifests())) {
      expect(`${name}\n${await readFile(join(DEPLOY, '../k8s', name), 'utf8')}`).toBe(`${name}\n${text}`);
    }
  });

  it('brings the alerting rules and the dashboard as they are', async () => {
    const made = await objects({ 'prometheusRule.enabled': true, 'dashboard.enabled': true });
    const rules = loadAllYaml(await readFile(join(DEPLOY, 'prometheus/rules.yaml'), 'utf8'));
    expect(made.find(({ kind }) => kind === 'PrometheusRule')!.spec).toEqual(rules[0]);
    const { data } = made.find(({ metadata }) => metadata.name === 'sd-service-discovery-dashboard')!;
    const dashboard = await readFile(join(DEPLOY, 'grafana/service-discovery.json'), 'utf8');
    expect(data['service-discovery.json']).toBe(dashboard);
  });

  it.each([
    ['read.yaml', {}],
    ['read-all.yaml', EVERYWHERE],
    ['write.yaml', WRITE],
  ])('asks for no more rights than %s', async (file, values) => {
    const least = loadAllYaml(await readFile(join(import.meta.dirname, '../../k8s/rbac', file), 'utf8'));
    const rulesOf = (objects: readonly unknown[]): unknown =>
      (objects as KubernetesObject[]).find(({ rules }) => rules)!.rules;
    expect(rulesOf(await objects(values))).toEqual(rulesOf(least));
  });
});
