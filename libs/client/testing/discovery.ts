import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InstanceKey, InstanceStatus } from '#core';
import type { WatchEvent } from '../discovery/follower.js';
import { instanceOf, type Instance } from '../instance.js';
import { toBody, type RegistrationRequest } from '../registration/request.js';
import { Refusal } from './refusal.js';
import { Registry, type RegistrationBody } from './registry.js';
import { wireOf } from './wire.js';

const ROUTE =
  /^\/api\/v1\/(?:(?<watch>watch\/)?services(?:\/(?<name>[^/]+)(?:\/instances\/(?<id>[^/]+)(?<beat>\/heartbeat)?)?)?)$/;
/** Well below what a client takes for silence. */
const COMMENT_EVERY_MS = 10_000;

/**
 * A stand-in for the server: what a client asks of one, in memory. Nothing happens to an instance by itself: no lease
 * runs out and nobody checks its health, unless the test says so.
 */
export class LocalDiscovery {
  private readonly registry = new Registry();
  private readonly epoch = Math.random().toString(16).slice(2);
  private readonly comments: ReturnType<typeof setInterval>;

  private constructor(
    private readonly server: Server,
    private readonly watchers: Set<ServerResponse>,
  ) {
    this.comments = setInterval(() => this.watchers.forEach((watcher) => watcher.write(': \n\n')), COMMENT_EVERY_MS);
  }

  /** On a free port of this machine. */
  static async start(): Promise<LocalDiscovery> {
    const server = createServer((request, response) => void self.answer(request, response));
    const self = new LocalDiscovery(server, new Set());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return self;
  }

  /** What a client takes as one of its `servers`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Puts an instance there, as if it had registered itself. @throws Error that says what is wrong with it. */
  register(request: RegistrationRequest): Instance {
    return instanceOf(wireOf(this.registry.register(toBody(request))));
  }

  /** What is registered of a service, sorted by id. */
  instances(service: string): readonly Instance[] {
    return this.registry.instances(service).map((instance) => instanceOf(wireOf(instance)));
  }

  /** Resolves once an instance of the service is registered, with the first of them. */
  async registered(service: string): Promise<Instance> {
    for (;;) {
      const [first] = this.instances(service);
      if (first) return first;
      await new Promise<void>((resolve) => {
        const unsubscribe = this.registry.subscribe(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  }

  /** As if its heartbeats, its probe or an operator had said so. @throws Error when there is no such instance. */
  setStatus(service: string, id: string, status: InstanceStatus): void {
    this.registry.setStatus(keyOf(service, id), status);
  }

  /** Its lease has run out: the next heartbeat finds that, and registers it again. @throws Error when there is none. */
  expire(service: string, id: string): void {
    this.registry.remove(keyOf(service, id), 'expired');
  }

  /** Deregistered. @throws Error when there is no such instance. */
  remove(service: string, id: string): void {
    this.registry.remove(keyOf(service, id), 'deregistered');
  }

  /** Ends every connection. Idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.comments);
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.route(request, response);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'INVALID_REQUEST', String(error));
      send(response, refusal.status, refusal.body, 'application/problem+json');
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    const route = ROUTE.exec(url);
    const { watch, name, id, beat } = route?.groups ?? {};
    const service = name && decodeURIComponent(name).toLowerCase();
    const key = service && id ? keyOf(service, decodeURIComponent(id)) : undefined;
    if (method === 'GET' && watch && !id) {
      this.watch(response, service);
    } else if (method === 'POST' && route && !watch && !service) {
      const instance = this.registry.register((await jsonOf(request)) as RegistrationBody);
      send(response, 201, { success: true, data: wireOf(instance) });
    } else if (method === 'PUT' && key && beat) {
      const said = (await jsonOf(request)) as HeartbeatBody;
      const { status, load_percentage: loadPercentage, active_connections: activeConnections } = said;
      const instance = this.registry.renew(key, { status, loadPercentage, activeConnections });
      send(response, 200, { success: true, data: wireOf(instance) });
    } else if (method === 'DELETE' && key && !beat) {
      this.registry.remove(key, 'deregistered');
      response.writeHead(204).end();
    } else {
      throw new Refusal(
        404,
        'NO_SUCH_ROUTE',
        `the stand-in has nothing at ${method} ${url}: only what a client asks for`,
      );
    }
  }

  private watch(response: ServerResponse, service: string | undefined): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    const tell = (event: WatchEvent) => {
      const revision = `${this.epoch}.${this.registry.revision}`;
      response.write(`event: ${event.event}\nid: ${revision}\ndata: ${JSON.stringify({ ...event, revision })}\n\n`);
    };
    tell({ event: 'snapshot', source: 'live', instances: this.registry.instances(service).map(wireOf) });
    const unsubscribe = this.registry.subscribe((event) => {
      if (service === undefined || serviceOf(event) === service) tell(event);
    });
    this.watchers.add(response);
    response.on('close', () => {
      unsubscribe();
      this.watchers.delete(response);
    });
  }
}

interface HeartbeatBody {
  readonly status?: 'passing' | 'warning' | 'critical';
  readonly load_percentage?: number;
  readonly active_connections?: number;
}

function keyOf(service: string, serviceId: string): InstanceKey {
  return { serviceName: service.toLowerCase(), serviceId };
}

function serviceOf(event: WatchEvent): string | undefined {
  if (event.event === 'upsert') return event.instance.service_name;
  return event.event === 'remove' ? event.service_name : undefined;
}

function send(response: ServerResponse, status: number, body: object, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(JSON.stringify(body));
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return JSON.parse(text);
}
