import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BACKENDS } from '#backends';
import { silentLogger, type Logger, type RegistryBackend } from '#core';
import { Proxy } from '../../../support/proxy.js';
import { Admin } from './admin.js';

const kubernetes = BACKENDS.find(({ type }) => type === 'kubernetes')!;

export const SERVICES = 'api/v1';
export const SLICES = 'apis/discovery.k8s.io/v1';
export const LEASES = 'apis/coordination.k8s.io/v1';

/** A namespace of a test's own, and the backends that it looks at it with. */
export class Place {
  private readonly ways = new Map<RegistryBackend, Proxy>();
  /** Of the first backend: what is open before is not its own. */
  private spare: Proxy | undefined;
  private folder = '';

  private constructor(
    readonly admin: Admin,
    readonly namespace: string,
  ) {}

  static async open(admin = new Admin()): Promise<Place> {
    const place = new Place(admin, `test-${randomUUID().slice(0, 8)}`);
    place.spare = await Proxy.to(place.admin.port);
    place.folder = await mkdtemp(join(tmpdir(), 'service-discovery-kubernetes-'));
    await place.admin.ask('POST', '/api/v1/namespaces', { metadata: { name: place.namespace } });
    return place;
  }

  /** Not started, on a way of its own. `token`: of somebody with less rights. */
  async backend(
    settings: Readonly<Record<string, string>> = {},
    { token, logger = silentLogger }: { token?: string; logger?: Logger } = {},
  ): Promise<RegistryBackend> {
    const way = this.spare ?? (await Proxy.to(this.admin.port));
    this.spare = undefined;
    const file = await this.file(this.admin.kubeconfig({ port: way.port, token }));
    const options = kubernetes.options.parse({ KUBECONFIG: file, KUBERNETES_NAMESPACE: this.namespace, ...settings });
    const backend = await kubernetes.create(options, { logger, now: Date.now, graceMs: 0 });
    this.ways.set(backend, way);
    return backend;
  }

  wayOf(backend: RegistryBackend): Proxy {
    return this.ways.get(backend)!;
  }

  /** Of this namespace: `at(SLICES, 'endpointslices', name)`. */
  at(group: string, plural: string, name?: string): string {
    const path = `/${group}/namespaces/${this.namespace}/${plural}`;
    return name === undefined ? path : `${path}/${name}`;
  }

  async file(content: string): Promise<string> {
    const path = join(this.folder, randomUUID());
    await writeFile(path, content);
    return path;
  }

  /** Cluster addresses are few: Services are not left to the namespace's end, which comes by itself. */
  async close(): Promise<void> {
    await this.spare?.close();
    await Promise.all([...this.ways.values()].map((way) => way.close()));
    const { items } = await this.admin.ask<{ items: { metadata: { name: string } }[] }>(
      'GET',
      this.at(SERVICES, 'services'),
    );
    await Promise.all(
      items.map(({ metadata }) => this.admin.ask('DELETE', this.at(SERVICES, 'services', metadata.name))),
    );
    await this.admin.ask('DELETE', `/api/v1/namespaces/${this.namespace}`);
    this.admin.close();
    await rm(this.folder, { recursive: true });
  }
}
