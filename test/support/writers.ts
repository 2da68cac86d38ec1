import { HttpClient, type Answer } from './http-client.js';
import { instancePath, type Instance, type ServiceSummary } from './instances.js';

const LANES = 24;
const BATCH_LANES = 4;
const BATCH = 50;
/** Violations that are shown. */
const SHOWN = 10;

/** What is known of an instance: as the server has last shown it, or gone. */
type Known = { readonly shown: Instance } | 'gone';

/**
 * Writes as fast as it can over kept connections until the server is away, and keeps account of what
 * was acknowledged. Of a write that nobody heard the end of, both outcomes are right.
 */
export class Writers {
  private readonly acknowledged = new Map<string, Known>();
  private readonly unknown = new Set<string>();
  private readonly refusals: string[] = [];

  /** Resolves when the server is away. */
  async writeUntilAway(url: string, round: string): Promise<void> {
    const http = new HttpClient(url);
    try {
      await Promise.all([
        ...Array.from({ length: LANES }, (_, lane) => this.singly(http, `${round}-${lane}`)),
        ...Array.from({ length: BATCH_LANES }, (_, lane) => this.inBatches(http, `${round}-batch-${lane}`)),
      ]);
    } finally {
      await http.close();
    }
  }

  get size(): number {
    return this.acknowledged.size;
  }

  /** The highest version that was acknowledged. */
  get lastVersion(): number {
    const versions = [...this.acknowledged.values()].map((known) =>
      known === 'gone' ? 0 : Number(known.shown.version),
    );
    return Math.max(0, ...versions);
  }

  /** What was acknowledged and is not so: none is right. */
  async violations(http: HttpClient): Promise<string[]> {
    const { data } = await http.get<ServiceSummary[]>('/api/v1/services?include=instances');
    const there = new Map(
      data.flatMap(({ instances = [] }) => instances.map((each) => [each.service_id, each] as const)),
    );
    const wrong = [...this.acknowledged].flatMap(([id, known]) => {
      if (this.unknown.has(id)) return [];
      const found = there.get(id);
      if (known === 'gone') return found ? [`${id} came back`] : [];
      if (!found) return [`${id} is lost`];
      const [was, is] = [JSON.stringify(known.shown), JSON.stringify(found)];
      return was === is ? [] : [`${id} was ${was} and is ${is}`];
    });
    const unasked = [...there.keys()].filter((id) => !this.acknowledged.has(id) && !this.unknown.has(id));
    const all = [...wrong, ...unasked.map((id) => `${id} was never asked for`), ...this.refusals];
    return all.length <= SHOWN ? all : [...all.slice(0, SHOWN), `and ${all.length - SHOWN} more`];
  }

  private async singly(http: HttpClient, lane: string): Promise<void> {
    for (let turn = 0; ; turn++) {
      const id = `${lane}-${turn}`;
      const path = instancePath(`kept-${turn % 7}`, id);
      if (!(await this.write(http, 'POST', '/api/v1/services', [id], registration(id, turn)))) return;
      if (turn % 4 === 1) {
        const patch = { tags: ['patched', lane], metadata: { zone: null, patched: 'yes' }, weight: 7 };
        if (!(await this.write(http, 'PATCH', path, [id], patch))) return;
      }
      if (turn % 4 === 2 && !(await this.write(http, 'PUT', `${path}/maintenance?reason=upgrade`, [id]))) return;
      if (turn % 4 === 3 && !(await this.write(http, 'DELETE', path, [id]))) return;
    }
  }

  private async inBatches(http: HttpClient, lane: string): Promise<void> {
    for (let turn = 0; ; turn++) {
      const ids = Array.from({ length: BATCH }, (_, i) => `${lane}-${turn}-${i}`);
      const items = ids.map((id, i) => registration(id, i));
      if (!(await this.write(http, 'POST', '/api/v1/services/batch', ids, items))) return;
    }
  }

  /** False when the server is away. */
  private async write(
    http: HttpClient,
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    ids: string[],
    body?: unknown,
  ) {
    for (const id of ids) this.unknown.add(id);
    const answer = await http.send<Instance | BatchItem[]>(method, path, { body }).catch(() => undefined);
    if (!answer) return false;
    if (answer.status >= 400) {
      this.refusals.push(`${method} ${path}: ${answer.text}`);
      return false;
    }
    const shown = method === 'DELETE' ? [] : shownIn(answer);
    ids.forEach((id, i) => {
      const instance = shown[i];
      if (method !== 'DELETE' && !instance) this.refusals.push(`${id}: ${answer.text}`);
      this.acknowledged.set(id, instance ? { shown: instance } : 'gone');
      this.unknown.delete(id);
    });
    return true;
  }
}

interface BatchItem {
  readonly instance?: Instance;
}

function shownIn({ data }: Answer<Instance | BatchItem[]>): (Instance | undefined)[] {
  return Array.isArray(data) ? data.map(({ instance }) => instance) : [data];
}

/** Something in every field. */
function registration(id: string, turn: number): Record<string, unknown> {
  return {
    service_name: `kept-${turn % 7}`,
    service_id: id,
    address: `10.0.${turn % 200}.${(turn % 250) + 1}`,
    port: 1 + (turn % 65_535),
    protocol: turn % 2 === 0 ? 'http' : 'grpc',
    path: '/api',
    tags: ['api', `turn-${turn}`, 'ünïcode'],
    metadata: { version: '1.2.3', note: `"quoted" and ${'long '.repeat(40)}`, zone: 'of metadata' },
    weight: turn % 100,
    region: 'eu',
    ...(turn % 2 === 0 ? { zone: 'eu-1' } : {}),
    ttl: turn % 3 === 0 ? '10m' : undefined,
    status: turn % 5 === 0 ? 'warning' : undefined,
    enable_tag_override: turn % 2 === 0,
    ...(turn % 3 === 1 && {
      health_check: { type: 'ttl', interval: 5, timeout: '1s', failures_before_critical: 3, ttl: '20m' },
    }),
  };
}
