import type { ConfigStore, InstanceKey, Registrar, RegistryBackend } from '#core';

/** Something that is asked of a registry. */
export interface Operation {
  readonly name: string;
  /** The instance that it is about; one to be registered too. */
  readonly key?: InstanceKey;
}

/** Sees an operation from its beginning to its end. Whatever comes of it is passed on as it is. */
export type Observer = <T>(operation: Operation, work: () => Promise<T>) => Promise<T>;

/** Several as one: the first sees what the others do too. */
export function nested(...observers: readonly Observer[]): Observer {
  return observers.reduceRight<Observer>(
    (inner, outer) => (operation, work) => outer(operation, () => inner(operation, work)),
    (_operation, work) => work(),
  );
}

/** The registry, with everything that is asked of it under observation: one place for all backends. */
export function observed(backend: RegistryBackend, observe: Observer): RegistryBackend {
  const { registrar, configStore } = backend;
  return {
    get capabilities() {
      return backend.capabilities;
    },
    start: () => backend.start(),
    stop: () => backend.stop(),
    ping: (signal) => observe(PING, () => backend.ping(signal)),
    list: (signal) => observe(LIST, () => backend.list(signal)),
    watch: (signal) => backend.watch(signal),
    ...(registrar && { registrar: observedRegistrar(registrar, observe) }),
    ...(configStore && { configStore: observedStore(configStore, observe) }),
    trouble: () => backend.trouble?.(),
  };
}

const PING: Operation = { name: 'ping' };
const LIST: Operation = { name: 'list' };

function observedRegistrar(registrar: Registrar, observe: Observer): Registrar {
  return {
    register: (registration, options) =>
      observe({ name: 'register', key: registration }, () => registrar.register(registration, options)),
    renew: (key, heartbeat, options) => observe({ name: 'renew', key }, () => registrar.renew(key, heartbeat, options)),
    update: (key, update, options) => observe({ name: 'update', key }, () => registrar.update(key, update, options)),
    deregister: (key, options) => observe({ name: 'deregister', key }, () => registrar.deregister(key, options)),
  };
}

function observedStore(store: ConfigStore, observe: Observer): ConfigStore {
  return {
    heads: (signal) => observe({ name: 'config_heads' }, () => store.heads(signal)),
    get: (key, version, signal) => observe({ name: 'config_get' }, () => store.get(key, version, signal)),
    append: (key, entry, signal) => observe({ name: 'config_append' }, () => store.append(key, entry, signal)),
    watch: (signal) => store.watch(signal),
  };
}
