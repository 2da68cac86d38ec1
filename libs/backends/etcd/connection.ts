import { BackendError } from '#core';
import type { Client } from './client.js';

/** The client that is in use, for all who ask etcd something; none while the cluster is away. */
export class Connection {
  private current: Client | undefined;
  private reason = new BackendError('UNAVAILABLE', 'not connected to etcd yet');

  get isThere(): boolean {
    return this.current !== undefined;
  }

  /** @throws BackendError `UNAVAILABLE`: nothing has been sent. */
  get client(): Client {
    this.check();
    return this.current!;
  }

  /** @throws BackendError `UNAVAILABLE` while the cluster is away. */
  check(): void {
    if (!this.current) throw this.reason;
  }

  use(client: Client): void {
    this.current = client;
  }

  lost({ message }: Error): void {
    this.current = undefined;
    this.reason = new BackendError('UNAVAILABLE', message);
  }
}
