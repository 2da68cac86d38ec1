import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '#core';
import { Catalog } from '#catalog';
import { createGuard } from '#health';
import { Webhook } from '../../apps/server/src/alerts/webhook.js';
import { instancePath, registerAll, report } from '../support/instances.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { Watcher } from '../support/watcher.js';

const SECRET = 'known to who is told';
const PATIENCE_MS = 30_000;

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: { readonly alert: string; readonly state: string; readonly [member: string]: unknown };
}

let receiver: Server;
let told: Told[];
/** What it answers next; then 200. */
let answers: number[];

beforeEach(async () => {
  [told, answers] = [[], []];
  receiver = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      told.push({ headers: request.headers, text, json: JSON.parse(text) as Told['json'] });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterEach(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await once(receiver, 'close');
});

const url = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`;
const summary = () => told.map(({ json }) => `${json.alert} ${json.state}`);

function webhook(loopback = true): Webhook {
  const guard = createGuard({ allowLoopback: loopback, denied: [] });
  return new Webhook({ url: url(), secret: SECRET, sender: 'me', guard, logger: silentLogger, retryFirstMs: 5 });
}

const change = { name: 'registry_away', state: 'raised', at: 0 } as const;

describe('alerts', () => {
  it('are told by log, metric, stream and a signed webhook, and are over when they are', async () => {
    const server = await TestServer.start({ ALERT_WEBHOOK_URL: url(), ALERT_WEBHOOK_SECRET: SECRET });
    try {
      const active = async (alert: string) =>
        Number(
          new RegExp(`alerts_active\\{alert="${alert}"\\} (\\d+)`).exec((await server.http.get('/metrics')).text)![1],
        );
      const watcher = await Watcher.open(server.url, 'services/web');
      await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
      await registerAll(server.http, 'web', { a: {}, b: {} });
      await server.http.put(`${instancePath('web', 'a')}/heartbeat`, { load_percentage: 0.9 });
      await until(() => told.length === 1, PATIENCE_MS);
      for (const id of ['a', 'b']) await report(server.http, 'web', id, 'critical');
      const alert = await watcher.event((told) => (told as { alert?: string }).alert === 'service_unhealthy', 'it');
      expect(alert).toMatchObject({ service_name: 'web' });
      expect(await active('service_unhealthy')).toBe(1);
      await report(server.http, 'web', 'b', 'passing');
      await server.http.put(`${instancePath('web', 'a')}/heartbeat`, { load_percentage: 0.1 });
      await until(() => told.length === 4, PATIENCE_MS);
      expect(summary().sort()).toEqual([
        'critical_load cleared',
        'critical_load raised',
        'service_unhealthy cleared',
        'service_unhealthy raised',
      ]);
      expect(await active('service_unhealthy')).toBe(0);
      expect(told[0]!.json).toMatchObject({
        service_name: 'web',
        service_id: 'a',
        load_percentage: 0.9,
        threshold: 0.8,
      });
      const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
        String(told[0]!.headers['x-service-discovery-signature']),
      )!;
      expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.${told[0]!.text}`).digest('hex'));
      await watcher.close();
    } finally {
      await server.stop();
    }
  }, 90_000);

  it('tell of what is held, for as long as it is', async () => {
    const server = await TestServer.start({ ALERT_WEBHOOK_URL: url(), ALERT_WEBHOOK_SECRET: SECRET });
    try {
      await registerAll(server.http, 'web', { a: {}, b: {}, c: {} });
      const catalog = server.server.app.get(Catalog);
      const keys = catalog.instances('web')!.map(({ instance }) => instance);
      for (const key of keys) catalog.apply({ kind: 'remove', key, version: key.version, cause: 'unknown' });
      await until(() => told.length === 1, PATIENCE_MS);
      for (const key of keys) catalog.release(key, 'deregistered', 'me');
      await until(() => told.length === 2, PATIENCE_MS);
      expect(told.map(({ json }) => json)).toMatchObject([
        { alert: 'mass_loss_held', state: 'raised', service_name: 'web', held: 3 },
        { alert: 'mass_loss_held', state: 'cleared' },
      ]);
    } finally {
      await server.stop();
    }
  }, 90_000);
});

describe('the webhook', () => {
  it('tries again, in order', async () => {
    answers = [500, 429];
    const hook = webhook();
    hook.send(change);
    hook.send({ ...change, state: 'cleared' });
    await until(() => told.length === 4, PATIENCE_MS);
    expect(told.map(({ json }) => json.state)).toEqual(['raised', 'raised', 'raised', 'cleared']);
    expect(new Set(told.map(({ json }) => json.id)).size).toBe(2);
    await hook.stop();
  });

  it('takes a refusal for an answer, and gives up in the end', async () => {
    answers = [400, ...Array.from({ length: 8 }, () => 503)];
    const hook = webhook();
    for (let i = 0; i < 3; i++) hook.send(change);
    await until(() => told.length === 10, PATIENCE_MS);
    await until(() => [...hook.deliveries].some(([{ result }]) => result === 'ok'), PATIENCE_MS);
    expect([...hook.deliveries]).toEqual([
      [{ result: 'dropped' }, 2],
      [{ result: 'ok' }, 1],
    ]);
    await hook.stop();
  });

  it('goes where probes may go, and nowhere else', async () => {
    const hook = webhook(false);
    hook.send(change);
    await until(() => [...hook.deliveries].length === 1, PATIENCE_MS);
    expect([...hook.deliveries]).toEqual([[{ result: 'dropped' }, 1]]);
    expect(told).toEqual([]);
    await hook.stop();
  });

  it('stops at once, with much to tell', async () => {
    answers = [500];
    const hook = webhook();
    for (let i = 0; i < 2_000; i++) hook.send(change);
    await until(() => told.length > 0, PATIENCE_MS);
    await hook.stop();
    expect([...hook.deliveries].find(([{ result }]) => result === 'dropped')![1]).toBeGreaterThanOrEqual(999);
  });
});
