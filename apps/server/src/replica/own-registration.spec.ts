import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BackendError, silentLogger, type Logger } from '#core';
import type { Registrations } from '../registration/registrations.js';
import { OwnRegistration } from './own-registration.js';

type Call = 'registerAs' | 'heartbeatAs' | 'deregisterAs';

/** Answers each call by what is said of it, and tells of it. */
class Registry {
  readonly calls: Call[] = [];
  private readonly told = new EventEmitter();

  constructor(private readonly answers: Partial<Record<Call, (count: number) => void>> = {}) {}

  get registrations(): Registrations {
    const call = (name: Call) => async () => {
      this.calls.push(name);
      setImmediate(() => this.told.emit(name));
      this.answers[name]?.(this.calls.filter((each) => each === name).length);
    };
    const stub = {
      registerAs: call('registerAs'),
      heartbeatAs: call('heartbeatAs'),
      deregisterAs: call('deregisterAs'),
    };
    return stub as unknown as Registrations;
  }

  async called(name: Call, count: number): Promise<void> {
    while (this.calls.filter((each) => each === name).length < count) await once(this.told, name);
  }
}

function failing(code: 'NOT_FOUND' | 'UNAVAILABLE'): never {
  throw new BackendError(code, 'no');
}

describe('own registration', () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields: object, message: string) => warnings.push(message) };
  let own: OwnRegistration;

  afterEach(async () => {
    await own.stop();
    warnings.length = 0;
  });

  function begin(registry: Registry, heartbeatMs: number): void {
    const self = { serviceName: 'sd', serviceId: 'sd-1', address: '10.0.0.1', port: 8090, metadata: {} };
    const options = { ...self, heartbeatMs };
    own = new OwnRegistration(registry.registrations, options, logger);
    own.start();
  }

  it('beats, and goes when it stops', async () => {
    const registry = new Registry();
    begin(registry, 5);
    await registry.called('heartbeatAs', 2);
    await own.stop();
    expect(registry.calls[0]).toBe('registerAs');
    expect(registry.calls.at(-1)).toBe('deregisterAs');
    expect(warnings).toEqual([]);
  });

  it('is tried again soon when the registry was away, and complains once', async () => {
    const registry = new Registry({ registerAs: (count) => (count < 3 ? failing('UNAVAILABLE') : undefined) });
    begin(registry, 5);
    await registry.called('heartbeatAs', 1);
    expect(registry.calls.slice(0, 4)).toEqual(['registerAs', 'registerAs', 'registerAs', 'heartbeatAs']);
    expect(warnings).toHaveLength(1);
  });

  it('does not wait for a heartbeat of a minute to be known', async () => {
    const registry = new Registry({ registerAs: (count) => (count < 2 ? failing('UNAVAILABLE') : undefined) });
    begin(registry, 60_000);
    await registry.called('registerAs', 2);
  });

  it('registers anew when the registry has forgotten it', async () => {
    const registry = new Registry({ heartbeatAs: (count) => (count === 1 ? failing('NOT_FOUND') : undefined) });
    begin(registry, 5);
    await registry.called('heartbeatAs', 2);
    expect(registry.calls.slice(0, 4)).toEqual(['registerAs', 'heartbeatAs', 'registerAs', 'heartbeatAs']);
    expect(warnings).toEqual([]);
  });

  it('is not missed when it was never there', async () => {
    const registry = new Registry({
      registerAs: () => failing('UNAVAILABLE'),
      deregisterAs: () => failing('NOT_FOUND'),
    });
    begin(registry, 5);
    await registry.called('registerAs', 1);
    await own.stop();
    expect(warnings).toHaveLength(1);
  });
});
