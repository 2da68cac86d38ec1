import type { Sent, Transport } from '#client';
import { CommandError, EXIT } from '../errors.js';
import type {
  Capabilities,
  ConfigDocument,
  ConfigVersion,
  InstanceAnswer,
  InstanceHealth,
  ResolvedConfig,
  ServiceHealth,
  ServiceSummary,
  TimelineEntry,
} from './wire.js';

/** All that there are of a document. */
const KEPT_VERSIONS = 100;

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
    return this.get(`${of(service)}/instance${queryOf(query)}`);
  }

  register(body: object): Promise<Answer<InstanceAnswer>> {
    return this.read('POST', '/api/v1/services', { body });
  }

  async deregister(service: string, id: string): Promise<void> {
    await this.transport.ask('DELETE', of(service, id));
  }

  maintain(service: string, id: string, on: boolean, reason?: string): Promise<Answer<InstanceAnswer>> {
    return this.read(on ? 'PUT' : 'DELETE', `${of(service, id)}/maintenance${queryOf({ reason })}`);
  }

  health(nameOrId: string, query: Query): Promise<Answer<ServiceHealth | InstanceHealth>> {
    return this.get(health(nameOrId, query));
  }

  async checkNow(nameOrId: string, query: Query): Promise<void> {
    await this.transport.ask('POST', `/api/v1/health/${encodeURIComponent(nameOrId)}/check${queryOf(query)}`);
  }

  timeline(service: string): Promise<Answer<readonly TimelineEntry[]>> {
    return this.get(`${of(service)}/timeline`);
  }

  config(service: string, query: Query): Promise<Answer<ConfigDocument | ResolvedConfig>> {
    return this.get(config(service, '', query));
  }

  /** @param text A JSON object, sent as it stands: numbers beyond those of JavaScript are the server's to refuse. */
  putConfig(service: string, text: string, query: Query, ifVersion?: number): Promise<Answer<ConfigDocument>> {
    return this.read('PUT', config(service, '', query), { body: text, headers: condition(ifVersion) });
  }

  configHistory(service: string, query: Query): Promise<Answer<readonly ConfigVersion[]>> {
    return this.get(config(service, '/history', { ...query, limit: KEPT_VERSIONS }));
  }

  rollBackConfig(service: string, version: number, query: Query, ifVersion?: number): Promise<Answer<ConfigDocument>> {
    const sent = { body: { version }, headers: condition(ifVersion) };
    return this.read('POST', config(service, '/rollback', query), sent);
  }

  capabilities(): Promise<Answer<Capabilities>> {
    return this.get('/api/v1/capabilities');
  }

  private get<Data>(path: string): Promise<Answer<Data>> {
    return this.read('GET', path);
  }

  private async read<Data>(method: string, path: string, sent?: Sent): Promise<Answer<Data>> {
    const response = await this.transport.ask(method, path, sent);
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
  return `/api/v1/services${queryOf(query)}`;
}

export function instances(service: string, query: Query): string {
  return `${of(service)}/instances${queryOf(query)}`;
}

export function health(nameOrId: string, query: Query): string {
  return `/api/v1/health/${encodeURIComponent(nameOrId)}${queryOf(query)}`;
}

function config(service: string, rest: '' | '/history' | '/rollback', query: Query): string {
  return `/api/v1/config/${encodeURIComponent(service)}${rest}${queryOf(query)}`;
}

/** A write under the condition that this is the newest version; 0: that there is none. */
function condition(version: number | undefined): Record<string, string> {
  if (version === undefined) return {};
  return version === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` };
}

function of(service: string, id?: string): string {
  const path = `/api/v1/services/${encodeURIComponent(service)}`;
  return id === undefined ? path : `${path}/instances/${encodeURIComponent(id)}`;
}

/** Empty, or with a question mark in front. */
function queryOf(query: Query): string {
  const text = toText(query);
  return text === '' ? '' : `?${text}`;
}

export function toText(query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.toString();
}
