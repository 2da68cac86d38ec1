import type { BackendCapabilities, RegistryBackend, RegistryEvent, RegistrySnapshot } from '../index.js';

/** A registry that says what a test has it say, when the test has it say so. It cannot be written to. */
export class ScriptedBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities = {
    type: 'scripted',
    register: 'refused',
    leases: 'refused',
    maintenance: 'refused',
    removalCauses: 'native',
    configuration: 'refused',
    durable: false,
    replicas: true,
    notes: [],
  };
  /** How often each was called. */
  readonly calls = { ping: 0, list: 0, watch: 0 };
  /** What a ping and a list come to, from now on. */
  onPing: () => Promise<void> = () => Promise.resolve();
  onList: () => Promise<RegistrySnapshot> = () => Promise.resolve({ instances: [], asOf: '0', incarnation: 'first' });
  private readonly readers = new Set<(say: () => RegistryEvent | undefined) => void>();

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.say(() => undefined);
  }

  ping(): Promise<void> {
    this.calls.ping++;
    return this.onPing();
  }

  list(): Promise<RegistrySnapshot> {
    this.calls.list++;
    return this.onList();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<RegistryEvent, void> {
    this.calls.watch++;
    const said: (() => RegistryEvent | undefined)[] = [];
    let wake: (() => void) | undefined;
    const hear = (say: () => RegistryEvent | undefined) => {
      said.push(say);
      wake?.();
    };
    const end = () => hear(() => undefined);
    this.readers.add(hear);
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        while (said.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const event = said.shift()!();
        if (!event) return;
        yield event;
      }
    } finally {
      this.readers.delete(hear);
      signal.removeEventListener('abort', end);
    }
  }

  /** Tells every watch, word for word. */
  tell(event: RegistryEvent): void {
    this.say(() => event);
  }

  /** Breaks every watch. */
  fail(error: Error): void {
    this.say(() => {
      throw error;
    });
  }

  private say(what: () => RegistryEvent | undefined): void {
    for (const hear of [...this.readers]) hear(what);
  }
}
