import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { untilAnswer } from '../support/changes.js';
import { HttpClient } from '../support/http-client.js';
import { body, instancePath, register, type Instance, type Service } from '../support/instances.js';
import { endProcesses, TEST_MS, ServerProcess, ServiceProcess } from '../support/process.js';
import { expectBadInput } from '../support/problems.js';
import { Rotation } from '../support/rotation.js';
import { until } from '../support/until.js';

const SERVICES = '/api/v1/services';
const HOLD_S = 4;
/** The shortest rhythm that there is. */
const CHECK = { http_path: '/health', interval: 1, timeout: '500ms', failures_before_critical: 2 };
/** By when an instance that is killed must be out: its probes fail in a row, and a second for the rest. */
const OUT_MS = 2 * 1_000 + 500 + 1_000;

const REFUSED = expect.stringMatching(/ is refused: .*a cloud metadata service$/);

/** What a check has found. */
interface Check {
  readonly check_id: string;
  readonly status: string;
  readonly output: string;
  readonly timestamp: string;
  readonly duration_ms: number;
}

let server: ServerProcess;
let http: HttpClient;

// One server, a service of its own for each test; the tests run side by side.
beforeAll(async () => {
  server = await ServerProcess.start({ MASS_LOSS_HOLD: String(HOLD_S), CRITICAL_LOAD_THRESHOLD: '0.8' });
  http = new HttpClient(server.url);
}, TEST_MS);

afterAll(async () => {
  await endProcesses();
  await http.close();
});

/** An instance at that port, of this service and this id. */
async function add(name: string, id: string, port: number, more: object = {}): Promise<void> {
  await register(http, { service_name: name, id, address: '127.0.0.1', port, ...more });
}

async function untilStatus(name: string, id: string, status: string, of = http): Promise<void> {
  const is = (answer: { status: number; data: Instance }) => answer.status === 200 && answer.data.status === status;
  await untilAnswer<Instance>(of, instancePath(name, id), is, `${id} ${status}`);
}

async function statusNow(name: string): Promise<string> {
  return (await http.get<Instance>(instancePath(name, name))).data.status;
}

/** Resolves when it has been probed so often again. */
async function probed(service: ServiceProcess, times: number): Promise<void> {
  const before = await service.probes();
  await until(async () => (await service.probes()) >= before + times, 15_000);
}

/** The id of the instance that a caller is given. */
async function pick(name: string): Promise<string | undefined> {
  const answer = await http.get<Instance>(`${SERVICES}/${name}/instance`);
  if (answer.status === 200) return answer.data.service_id;
  expect(answer.problem.code).toBe('NO_HEALTHY_INSTANCES');
  return undefined;
}

async function checkNow(name: string, id: string, of = http): Promise<Check> {
  return (await of.post<Check>(`/api/v1/health/${id}/check?service=${name}`)).data;
}

describe('picks from three services', () => {
  it.concurrent(
    'leave out the one that is killed, and one in maintenance, and take them back',
    async () => {
      const services = await Promise.all([0, 1, 2].map(() => ServiceProcess.start()));
      const [a, b, c] = ['kill-a', 'kill-b', 'kill-c'] as const;
      await Promise.all([a, b, c].map((id, i) => add('kill', id, services[i]!.port, { health_check: CHECK })));
      const rotation = new Rotation(http, 'kill');
      rotation.start();
      try {
        await Promise.all([a, b, c].map((id) => rotation.picked(id, 0)));
        await Promise.all(services.map((service) => probed(service, 1)));

        const killed = services[0]!;
        await killed.kill();
        const death = performance.now();
        await untilStatus('kill', a, 'critical');
        expect(performance.now() - death).toBeLessThan(OUT_MS);
        const { data } = await http.get<{ checks: Check[] }>(`/api/v1/health/${a}`);
        expect(data.checks[0]!.output).toMatch(/ECONNREFUSED/);
        await rotation.picked(b, performance.now());
        expect(rotation.lastPick(a) - death).toBeLessThan(OUT_MS);

        await http.put(`${instancePath('kill', b)}/maintenance?reason=upgrade`);
        const resting = performance.now();
        await rotation.picked(c, resting + 500);
        expect(rotation.lastPick(b)).toBeLessThan(resting + 50);

        await ServiceProcess.start(killed.port);
        const back = performance.now();
        await rotation.picked(a, back);
        expect(performance.now() - back).toBeLessThan(OUT_MS);
        await http.delete(`${instancePath('kill', b)}/maintenance`);
        await rotation.picked(b, performance.now());
      } finally {
        await rotation.stop();
      }
      expect(rotation.wrongPicks()).toEqual([]);
      expect(rotation.picks.length).toBeGreaterThan(500);
    },
    TEST_MS,
  );
});

describe('an instance', () => {
  it.concurrent(
    'that stays critical is evicted, not before its time',
    async () => {
      const service = await ServiceProcess.start();
      await service.kill();
      const health_check = { ...CHECK, deregister_critical_service_after: '2s' };
      await add('evict', 'evict', service.port, { health_check });
      const critical = await server.logged(
        ({ serviceId, status }) => serviceId === 'evict' && status === 'critical',
        'evict critical',
      );
      const evicted = await server.logged(
        ({ serviceId, cause }) => serviceId === 'evict' && cause === 'evicted',
        'evict evicted',
      );
      expect(evicted.at - critical.at).toBeGreaterThan(1_900);
      expect(evicted.at - critical.at).toBeLessThan(2_000 + 2_000 + 1_000);
      expect((await http.get(instancePath('evict', 'evict'))).status).toBe(404);
      expect((await http.get(`${SERVICES}/evict`)).status).toBe(404);
    },
    TEST_MS,
  );

  it.concurrent(
    'is checked by TCP',
    async () => {
      const service = await ServiceProcess.start();
      const health_check = { type: 'tcp', interval: 1, timeout: '500ms' };
      await add('tcp', 'tcp', service.port, { health_check });
      expect(await checkNow('tcp', 'tcp')).toMatchObject({
        status: 'passing',
        output: expect.stringContaining('success'),
      });
      await service.kill();
      await untilStatus('tcp', 'tcp', 'critical');
      expect(await pick('tcp')).toBeUndefined();
      await ServiceProcess.start(service.port);
      await untilStatus('tcp', 'tcp', 'passing');
      expect(await pick('tcp')).toBe('tcp');
    },
    TEST_MS,
  );

  it.concurrent(
    'lives by its heartbeats, is what they say, and goes when they end',
    async () => {
      await add('lease', 'lease', 80, { ttl: 5 });
      const beat = (body: object) => http.put<Instance>(`${instancePath('lease', 'lease')}/heartbeat`, body);
      await beat({ status: 'critical' });
      expect(await pick('lease')).toBeUndefined();
      const { data } = await beat({ status: 'warning', load_percentage: 0.4 });
      const silent = performance.now();
      expect(data).toMatchObject({ status: 'warning', load_percentage: 0.4, ttl: 5 });
      expect(await pick('lease')).toBe('lease');
      await untilAnswer(http, `${SERVICES}/lease`, ({ status }) => status === 404, 'the end of the lease');
      expect(performance.now() - silent).toBeGreaterThan(5_000 - 100);
      expect(performance.now() - silent).toBeLessThan(7_000);
      expect((await beat({})).status).toBe(404);
      expect((await http.get(instancePath('lease', 'lease'))).status).toBe(404);
    },
    TEST_MS,
  );

  it.concurrent(
    'that answers 429 is warning however often, and is still picked; 500 is critical at the second',
    async () => {
      const service = await ServiceProcess.start();
      await service.answer({ status: 429 });
      await add('busy', 'busy', service.port, { health_check: CHECK });
      await untilStatus('busy', 'busy', 'warning');
      await probed(service, 3);
      expect(await statusNow('busy')).toBe('warning');
      expect(await pick('busy')).toBe('busy');
      await service.answer({ status: 500 });
      await untilStatus('busy', 'busy', 'critical');
      expect(await pick('busy')).toBeUndefined();
      await service.answer({ status: 200 });
      await untilStatus('busy', 'busy', 'passing');
    },
    TEST_MS,
  );

  it.concurrent(
    'shows the load that it tells, and raises one alert each time that it crosses the threshold',
    async () => {
      const service = await ServiceProcess.start();
      const alerts = () =>
        server.log.filter(({ msg, serviceId }) => msg === 'critical load' && serviceId === 'load').length;
      const toTell = async (load: number) => {
        await service.answer({ json: { status: 'healthy', load_percentage: load } });
        const shown = ({ data }: { data: Instance }) => data.load_percentage === load;
        await untilAnswer<Instance>(http, instancePath('load', 'load'), shown, `a load of ${load}`);
      };
      await service.answer({ json: { status: 'healthy', load_percentage: 0.3 } });
      await add('load', 'load', service.port, { health_check: CHECK });
      await toTell(0.3);
      expect(alerts()).toBe(0);
      await toTell(0.93);
      await probed(service, 2);
      expect(alerts()).toBe(1);
      await toTell(0.5);
      await toTell(0.8);
      expect(alerts()).toBe(2);
      expect(await statusNow('load')).toBe('passing');
      expect((await http.get('/metrics')).text).toMatch(/^service_discovery_alerts_total\{alert="critical_load"\} 2$/m);
    },
    TEST_MS,
  );

  it.concurrent(
    'is checked when asked: every failure counts, a slow answer ends, a redirect is not followed',
    async () => {
      const service = await ServiceProcess.start();
      const health_check = { ...CHECK, interval: 300, failures_before_critical: 3 };
      await add('asked', 'asked', service.port, { health_check });
      const what = `GET http://127.0.0.1:${service.port}/health`;
      const passing = await checkNow('asked', 'asked');
      expect(passing).toMatchObject({ check_id: 'service:asked', status: 'passing' });
      expect(passing.output).toBe(`${what}: 200\nOK`);
      expect(Math.abs(Date.parse(passing.timestamp) - Date.now())).toBeLessThan(5_000);

      await service.answer({ delayMs: 5_000 });
      const asked = performance.now();
      const slow = await checkNow('asked', 'asked');
      expect(performance.now() - asked).toBeLessThan(2_500);
      expect(slow).toMatchObject({ status: 'warning', output: expect.stringMatching(/within|time/) });
      expect(slow.duration_ms).toBeGreaterThanOrEqual(490);

      const location = 'http://169.254.169.254/latest/meta-data/';
      await service.answer({ status: 302, headers: { location } });
      const redirected = await checkNow('asked', 'asked');
      expect(redirected.output).toContain(`${what}: 302 redirects to ${location}, which is not followed`);
      expect(redirected.status).toBe('warning');

      await service.answer({ status: 503 });
      expect((await checkNow('asked', 'asked')).status).toBe('critical');
      // Written before the answer: nobody is given it any more.
      expect(await pick('asked')).toBeUndefined();
    },
    TEST_MS,
  );

  it.concurrent(
    'may not stand for what is not to be probed',
    async () => {
      const refused = {
        'an address in decimal': { type: 'http', url: 'http://2852039166/latest/meta-data/' },
        'an IPv6 form of it': { type: 'http', url: 'http://[::ffff:169.254.169.254]/' },
        'another probe': { type: 'tcp', address: '169.254.169.254:80' },
        'another still': { type: 'grpc', grpc: '[::ffff:a9fe:a9fe]:80/service' },
      };
      for (const [what, health_check] of Object.entries(refused)) {
        const answer = await http.post(SERVICES, body({ service_name: 'metadata', health_check }));
        const { errors } = expectBadInput(answer, 'health_check');
        expect([what, errors]).toEqual([what, [expect.objectContaining({ message: REFUSED })]]);
      }
    },
    TEST_MS,
  );
});

describe('PROBE_LOOPBACK=false', () => {
  it.concurrent(
    'probes nothing at loopback: refuses its addresses, and says of names that lead there what they come to',
    async () => {
      const service = await ServiceProcess.start();
      const strict = await ServerProcess.start({ PROBE_LOOPBACK: 'false' });
      const strictHttp = new HttpClient(strict.url);
      const inside = { service_name: 'api', id: 'inside', port: service.port, health_check: CHECK };
      const { errors } = expectBadInput(await strictHttp.post(SERVICES, body(inside)), 'health_check');
      expect(errors).toEqual([{ path: 'health_check', message: '127.0.0.1 is refused: loopback' }]);
      await register(strictHttp, { ...inside, address: 'localhost' });
      const { output } = await checkNow('api', 'inside', strictHttp);
      expect(output).toMatch(/localhost is refused: resolves to \S+, which is loopback/);
      await untilStatus('api', 'inside', 'critical', strictHttp);
      expect(await service.probes()).toBe(0);
      await strictHttp.close();
    },
    TEST_MS,
  );
});

describe('five instances that fall silent at once', () => {
  it.concurrent(
    'are held and said to be; one that registers again is back, the others go when the hold ends',
    async () => {
      const ids = [0, 1, 2, 3, 4].map((i) => `mass-${i}`);
      const dying = await ServiceProcess.start();
      const checked = { ttl: 5, health_check: { ...CHECK, deregister_critical_service_after: 0 } };
      const addOne = (id: string) => add('mass', id, dying.port, id === 'mass-4' ? checked : { ttl: 5 });
      await Promise.all(ids.map(addOne));

      const service = `${SERVICES}/mass`;
      const allHeld = ({ data }: { data: Service }) => data.instances.filter(({ held }) => held).length === 5;
      const { headers, data } = await untilAnswer<Service>(http, service, allHeld, 'five held');
      const begun = performance.now();
      expect(headers['x-registry-held']).toBe('true');
      expect(data.total_instances).toBe(5);
      expect((await http.get(`${service}/instance`)).headers['x-registry-held']).toBe('true');
      expect((await http.get('/metrics')).text).toMatch(/^service_discovery_held_instances 5$/m);
      expect(server.log).toContainEqual(expect.objectContaining({ level: 'warn', service: 'mass', held: 5 }));

      expect((await http.put(`${instancePath('mass', 'mass-0')}/heartbeat`)).status).toBe(404);
      await addOne('mass-0');
      expect((await http.get<Instance>(instancePath('mass', 'mass-0'))).data.held).toBeUndefined();

      // What is held and fails an active check is not picked.
      await dying.kill();
      await untilStatus('mass', 'mass-4', 'critical');
      const picked = await Promise.all(Array.from({ length: 20 }, () => pick('mass')));
      expect(new Set(picked)).toEqual(new Set(['mass-0', 'mass-1', 'mass-2', 'mass-3']));

      const alone = ({ data }: { data: Service }) => data.total_instances === 1;
      const left = await untilAnswer<Service>(http, service, alone, 'the end of the hold');
      expect(performance.now() - begun).toBeGreaterThan(HOLD_S * 1_000 - 1_000);
      expect(performance.now() - begun).toBeLessThan(HOLD_S * 1_000 + 1_500);
      expect(left.headers['x-registry-held']).toBeUndefined();
      expect(left.data.instances[0]!.service_id).toBe('mass-0');
    },
    TEST_MS,
  );
});
