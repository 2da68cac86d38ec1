import { afterAll, expect, it } from '@jest/globals';
import { HttpClient, type Method } from './http-client.js';
import { endProcesses, ServerProcess, TEST_MS, type Environment } from './process.js';
import { until } from './until.js';

// What a user does with a registry, in one go. Whatever stands behind the server, the answers are the same.

type Step = readonly [method: Method, path: string, body?: unknown];

const API = '/api/v1';
const CONFIG = `${API}/config/web`;
const WEB = `${API}/services/web/instances/web-1`;

const STEPS: readonly Step[] = [
  ['GET', `${API}/services`],
  ['GET', `${API}/services/web`],
  [
    'POST',
    `${API}/services`,
    {
      ...{ name: 'user-service', host: '10.0.1.100', port: 8080, tags: ['api', 'v1'] },
      metadata: { version: '1.0.0', protocol: 'http' },
      health_check: { enabled: true, http_path: '/health', interval: 30 },
    },
  ],
  [
    'POST',
    `${API}/register`,
    {
      ...{ service_name: 'web', service_id: 'web-1', address: '10.0.1.1', port: 80, tags: ['api', 'blue'] },
      ...{ metadata: { 'a.b/c': 'ä 𝄞 "\\ \n' }, weight: 3, zone: 'z1', region: 'r1', ttl: '600s' },
      health_check: {
        ...{ type: 'http', url: 'http://10.0.1.1:80/health', interval: '10s', timeout: '5s' },
        deregister_critical_service_after: '120s',
      },
    },
  ],
  [
    'POST',
    `${API}/register`,
    { service_name: 'web', service_id: 'web-2', address: '10.0.1.2', port: 80, tags: ['api'] },
  ],
  ['POST', `${API}/register`, { service_name: 'Web', address: '10.0.1.2', port: 0 }],
  ['GET', `${API}/services`],
  ['GET', `${API}/services?tags=api,v1`],
  ['GET', `${API}/services?tags=api,!blue&include=instances`],
  ['GET', `${API}/services/web`],
  ['GET', `${API}/services/web?limit=1`],
  ['GET', WEB],
  ['GET', `${API}/services/web/instance?strategy=random&tags=blue`],
  ['PUT', `${WEB}/heartbeat`, { status: 'warning', load_percentage: 0.5 }],
  ['PUT', `${WEB}/heartbeat`, { metadata: { added: '1' } }],
  ['PUT', `${API}/services/web/instances/nobody/heartbeat`],
  ['PATCH', WEB, { tags: ['green'], weight: 7 }],
  ['PATCH', WEB, { weight: -1 }],
  ['GET', WEB],
  ['GET', `${API}/services?metadata.added=1&include=instances`],
  ['PUT', `${WEB}/maintenance`, { enable: true, reason: 'upgrade' }],
  ['GET', `${API}/services/web?healthy_only=true`],
  ['GET', `${API}/health/web`],
  ['GET', `${API}/services/web/instance?exclude=web-2`],
  ['PUT', `${WEB}/maintenance`, { enable: false }],
  ['POST', `${API}/register`, { service_name: 'web', service_id: 'web-1', address: '10.0.1.3', port: 81 }],
  ['GET', WEB],
  [
    'POST',
    `${API}/services/batch`,
    {
      services: [
        { service_name: 'batch', service_id: 'one', address: '10.0.1.4', port: 1 },
        { service_name: 'batch', service_id: 'two', address: 'nowhere at all', port: 1 },
        { service_name: 'batch', service_id: 'web-2', address: '10.0.1.5', port: 2, status: 'maintenance' },
      ],
    },
  ],
  ['DELETE', `${API}/deregister/web-2`],
  ['DELETE', `${API}/services/batch/instances/web-2`],
  ['DELETE', `${API}/deregister/web-2`],
  ['DELETE', `${API}/deregister/web-2`],
  ['DELETE', WEB],
  ['GET', WEB],
  ['PUT', `${WEB}/heartbeat`],
  ['DELETE', `${API}/deregister/one`],
  ['GET', `${API}/services?include=instances`],
  ['GET', CONFIG],
  ['PUT', CONFIG, { 'a/b': ['ä', null], n: 1.5 }],
  ['PUT', `${API}/config/web?environment=staging`, {}],
  ['PUT', CONFIG, { n: 2 }],
  ['GET', `${CONFIG}?version=1`],
  ['DELETE', CONFIG],
  ['GET', CONFIG],
  ['POST', `${CONFIG}/rollback`, { version: 1 }],
  ['POST', `${CONFIG}/rollback`, { version: 3 }],
  ['GET', CONFIG],
  ['GET', `${CONFIG}/history?limit=3`],
];

/** What is another one each time: ids that the server makes, versions, times, and what is made of these. */
const VOLATILE = /^(version|timestamp|next_cursor|.*_at|last_.*|service_id|instance_id|id|instance|detail)$/;

function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => comparable(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, comparable(each, name)]));
  }
  const ownName = typeof value === 'string' && /^(web-\d|one|two)$/.test(value);
  return VOLATILE.test(key) && !ownName ? typeof value : value;
}

async function walk(environment: Environment): Promise<readonly unknown[]> {
  const server = await ServerProcess.start({ ...environment, HEALTH_CHECK_ENABLED: 'false' });
  const http = new HttpClient(server.url);
  await until(async () => (await http.get('/health/ready')).status === 200, TEST_MS);
  const answers: unknown[] = [];
  for (const [method, path, body] of STEPS) {
    const { status, text } = await http.send(method, path, { body });
    answers.push([method, path, status, text === '' ? '' : comparable(JSON.parse(text))]);
  }
  await http.close();
  await server.end('SIGTERM');
  return answers;
}

/** Whatever stands behind the server that has this environment answers as the memory registry does. It is empty at first. */
export function answersAsMemoryDoes(environment: () => Environment | Promise<Environment>): void {
  afterAll(endProcesses);

  it(
    'answers a user as the memory registry does',
    async () => {
      const [expected, actual] = await Promise.all([walk({}), walk(await environment())]);
      expect(actual).toEqual(expected);
    },
    TEST_MS,
  );
}
