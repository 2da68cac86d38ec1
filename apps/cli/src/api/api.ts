import type { Transport } from '#client';
import { CommandError, EXIT } from '../errors.js';
import type { Capabilities, InstanceAnswer, InstanceHealth, ServiceHealth, ServiceSummary } from './wire.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Answer<Data> {
  readonly data: Data;
  readonly headers: Headers;
}

/** `sdctl` asks for nothing that is not here. @throws RefusedError, ServersUnavailableError */
export class Api {
  constructor(private readonly transport: Transport) {}

  services(query: Query): Promise<Answer<readonly ServiceSummary[]>> {
    return this.get(services(query));
  }

  instances(service: string, query: Query): Promise<Answer<readonly InstanceAnswer[]>> {
    return this.get(instances(service, query));
  }

  pick(service: string, query: Query): Promise<Answer<InstanceAnswer>> {
    return this.get(`${of(service)}/instance${toText(query)}`);
  }

  register(body: object): Promise<Answer<InstanceAnswer>> {
    return this.read('POST', '/api/v1/services', body);
  }

  async deregister(service: string, id: string): Promise<void> {
    await this.transport.ask('DELETE', of(service, id));
  }

  maintain(service: string, id: string, on: boolean, reason?: string): Promise<Answer<InstanceAnswer>> {
    return this.read(on ? 'PUT' : 'DELETE', `${of(service, id)}/maintenance${toText({ reason })}`);
  }

  health(nameOrId: string, query: Query): Promise<Answer<ServiceHealth | InstanceHealth>> {
    return this.get(health(nameOrId, query));
  }

  async checkNow(nameOrId: string, query: Query): Promise<void> {
    await this.transport.ask('POST', `/api/v1/health/${encodeURIComponent(nameOrId)}/check${toText(query)}`);
  }

  capabilities(): Promise<Answer<Capabilities>> {
    return this.get('/api/v1/capabilities');
  }

  private get<Data>(path: string): Promise<Answer<Data>> {
    return this.read('GET', path);
  }

  private async read<Data>(method: string, path: string, body?: object): Promise<Answer<Data>> {
    const response = await this.transport.ask(method, path, { body });
    const text = await response.text();
    try {
      const { data } = JSON.parse(text) as { data: Data };
      return { data, headers: response.headers };
    } catch {
      throw new CommandError(
        `${response.url} is no service-discovery server: it answers ${JSON.stringify(text.slice(0, 60))}`,
        'Name another one by --server, SERVICE_DISCOVERY_URL or a profile.',
        EXIT.unreachable,
      );
    }
  }
}

export function services(query: Query): string {
  return `/api/v1/services${toText(query)}`;
}

export function instances(service: string, query: Query): string {
  return `${of(service)}/instances${toText(query)}`;
}

export function health(nameOrId: string, query: Query): string {
  return `/api/v1/health/${encodeURIComponent(nameOrId)}${toText(query)}`;
}

function of(service: string, id?: string): string {
  const path = `/api/v1/services/${encodeURIComponent(service)}`;
  return id === undefined ? path : `${path}/instances/${encodeURIComponent(id)}`;
}

function toText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
