import { afterEach, beforeEach } from '@jest/globals';
import {
  keyOf,
  keyText,
  type InstanceKey,
  type Registered,
  type Registrar,
  type Registration,
  type RegistryBackend,
  type ServiceInstance,
} from '../../index.js';
import { registration } from '../registrations.js';
import { Watcher } from '../watcher.js';

/**
 * - `cut`: connections break, and new ones are refused.
 * - `frozen`: connections stay, and nothing is answered.
 * - `forgotten`: cut, and the registry cannot tell any more what happened meanwhile (compaction, 410).
 * - `rewound`: what happens meanwhile is seen and then undone: connections break, and the registry is
 *   put back to what it was before (a backup restored).
 */
export type Outage = 'cut' | 'frozen' | 'forgotten' | 'rewound';

/** One registry, empty at first, that a backend is tried on. */
export interface BackendFixture {
  /** A further backend on the same registry with a connection of its own, not yet started. Called once only without `replicas`. */
  backend(): Promise<RegistryBackend>;
  /** Takes the registry away from this backend, and from no other, while something happens; then mends it. */
  outage?(of: RegistryBackend, how: Outage, meanwhile: () => Promise<void>): Promise<void>;
  /** What somebody does to our records past us. */
  readonly foreign?: {
    remove(key: InstanceKey): Promise<void>;
    write(key: InstanceKey, value: string): Promise<void>;
  };
  /** Removes everything that was made. */
  close(): Promise<void>;
}

/** What a fixture cannot do has no tests, rather than tests that pass without having looked. */
export interface BackendContractOptions {
  readonly name: string;
  readonly open: () => Promise<BackendFixture>;
  /** The shortest lease this registry can grant, milliseconds. */
  readonly shortestTtl?: number;
  /** Several backends can be made on one registry. */
  readonly replicas?: boolean;
  /** What `outage` can do; needs `replicas` for what others do meanwhile. */
  readonly outages?: readonly Outage[];
  /** Has `foreign`. */
  readonly foreign?: boolean;
}

export const actor = 'contract';
export const KEY: InstanceKey = keyOf(registration());

/** What one test of the contract works with: a registry, a backend on it that has started, and whatever else it makes. */
export class Trial {
  fixture!: BackendFixture;
  backend!: RegistryBackend;
  registrar!: Registrar;
  /** What was open in this process before the backend was made, by kind. */
  openBefore: readonly string[] = [];
  readonly shortestTtl: number;
  private watchers: Watcher[] = [];
  private backends: RegistryBackend[] = [];

  constructor(private readonly options: BackendContractOptions) {
    this.shortestTtl = options.shortestTtl ?? 1_000;
    beforeEach(() => this.begin());
    afterEach(() => this.end());
  }

  /** A further backend, started. */
  async another(): Promise<RegistryBackend> {
    const made = await this.unstarted();
    await made.start();
    return made;
  }

  /** A further backend. */
  async unstarted(): Promise<RegistryBackend> {
    const made = await this.fixture.backend();
    this.backends.push(made);
    return made;
  }

  watch(of: RegistryBackend = this.backend): Watcher {
    const watcher = new Watcher(of);
    this.watchers.push(watcher);
    return watcher;
  }

  /** A watch that has seen the beginning. */
  async watching(of?: RegistryBackend): Promise<Watcher> {
    const watcher = this.watch(of);
    await watcher.until('a first event', () => watcher.events.length > 0);
    return watcher;
  }

  async find(key: InstanceKey): Promise<ServiceInstance | undefined> {
    return (await this.backend.list()).instances.find((instance) => keyText(instance) === keyText(key));
  }

  register(over: Partial<Registration> = {}): Promise<Registered> {
    return this.registrar.register(registration(over), { actor });
  }

  private async begin(): Promise<void> {
    this.watchers = [];
    this.backends = [];
    this.fixture = await this.options.open();
    this.openBefore = process.getActiveResourcesInfo();
    this.backend = await this.another();
    if (!this.backend.registrar) throw new Error(`${this.options.name} has no registrar: the contract writes`);
    this.registrar = this.backend.registrar;
  }

  private async end(): Promise<void> {
    await Promise.all(this.watchers.map((watcher) => watcher.stop()));
    await Promise.all(this.backends.map((each) => each.stop()));
    await this.fixture.close();
  }
}

/** Milliseconds of a registry's own time, which nobody can wind forward. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
