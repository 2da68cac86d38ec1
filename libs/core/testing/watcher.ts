import {
  compareVersions,
  keyText,
  type InstanceKey,
  type RegistryBackend,
  type RegistryEvent,
  type ServiceInstance,
  type Version,
} from '../index.js';

/** Nothing takes so long when all is well: the machine may be busy. */
const PATIENCE_MS = 30_000;
/** Characters of the last events, in a complaint. */
const SHOWN = 2_000;

/** Reads a watch to its end, folds it by the rule of versions, and lets a test wait for what it must show. */
export class Watcher {
  readonly events: RegistryEvent[] = [];
  readonly instances = new Map<string, ServiceInstance>();
  readonly done: Promise<void>;
  /** Everything up to here has been seen: what is absent and not newer has gone. */
  private asOf: Version = '';
  private readonly removed = new Map<string, Version>();
  private readonly aborter = new AbortController();
  private readonly waiting = new Set<() => void>();

  constructor(backend: RegistryBackend) {
    this.done = this.read(backend);
    this.done.catch(() => undefined);
  }

  get(key: InstanceKey): ServiceInstance | undefined {
    return this.instances.get(keyText(key));
  }

  /** Whether the last word on the registry was that it is away. */
  get stale(): boolean {
    return this.events.findLast(({ kind }) => kind !== 'upsert' && kind !== 'remove')?.kind === 'stale';
  }

  removals(key: InstanceKey): Extract<RegistryEvent, { kind: 'remove' }>[] {
    return this.events
      .filter((event) => event.kind === 'remove')
      .filter((event) => keyText(event.key) === keyText(key));
  }

  /** Resolves as soon as the condition holds; rejects with what was seen when it does not in time. */
  async until(what: string, condition: () => boolean, deadlineMs = PATIENCE_MS): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        const last = JSON.stringify(this.events.slice(-5));
        reject(new Error(`not within ${deadlineMs} ms: ${what}; last events: ${last.slice(-SHOWN)}`));
      }, deadlineMs);
      this.waiting.add(check);
    });
  }

  async stop(): Promise<void> {
    this.aborter.abort();
    await this.done;
  }

  private async read(backend: RegistryBackend): Promise<void> {
    for await (const event of backend.watch(this.aborter.signal)) {
      this.events.push(event);
      this.fold(event);
      for (const check of [...this.waiting]) check();
    }
  }

  private fold(event: RegistryEvent): void {
    switch (event.kind) {
      case 'snapshot':
        this.instances.clear();
        this.removed.clear();
        this.asOf = event.asOf;
        for (const instance of event.instances) this.instances.set(keyText(instance), instance);
        break;
      case 'upsert':
        this.upsert(event.instance);
        break;
      case 'remove': {
        const known = this.get(event.key);
        if (known && compareVersions(known.version, event.version) > 0) return;
        this.instances.delete(keyText(event.key));
        this.removed.set(keyText(event.key), event.version);
        break;
      }
      case 'live':
        this.asOf = event.asOf;
        break;
      case 'stale':
        break;
    }
  }

  private upsert(instance: ServiceInstance): void {
    const known = this.get(instance)?.version;
    const gone = this.removed.get(keyText(instance)) ?? this.asOf;
    if (
      known === undefined ? compareVersions(instance.version, gone) <= 0 : compareVersions(instance.version, known) < 0
    )
      return;
    this.instances.set(keyText(instance), instance);
  }
}
