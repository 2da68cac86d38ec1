import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendError, keyOf, type Logger, type Registration } from '#core';
import type { Registrations } from '../registration/registrations.js';

const ACTOR = 'service-discovery';

export interface OwnRegistrationOptions {
  readonly serviceName: string;
  /** Where the other replicas reach this one. */
  readonly address: string;
  readonly port: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/** This replica as an instance of its own registry: how replicas know each other. */
export class OwnRegistration {
  private readonly stopping = new AbortController();
  private beating: Promise<void> = Promise.resolve();
  private readonly registration: Registration;

  constructor(
    private readonly registrations: Registrations,
    private readonly options: OwnRegistrationOptions,
    private readonly logger: Logger,
  ) {
    this.registration = {
      serviceName: options.serviceName,
      // Of this process: one that was killed leaves its own to expire.
      serviceId: `${options.address}-${options.port}-${randomUUID().slice(0, 8)}`,
      address: options.address,
      port: options.port,
      tags: [],
      metadata: {},
      ttl: options.leaseMs,
    };
  }

  start(): void {
    this.beating = this.beat();
  }

  /** Takes it out again, so that nobody asks this replica any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.beating;
    await this.registrations
      .deregister(keyOf(this.registration), ACTOR)
      .catch((error: unknown) => this.complain(error));
  }

  private async beat(): Promise<void> {
    const { signal } = this.stopping;
    let registered = false;
    while (!signal.aborted) {
      try {
        if (registered) await this.registrations.heartbeat(keyOf(this.registration), {}, ACTOR);
        else await this.registrations.registerAs(this.registration, ACTOR);
        registered = true;
      } catch (error) {
        registered &&= !(error instanceof BackendError && error.code === 'NOT_FOUND');
        if (registered) this.complain(error);
      }
      const pause = this.options.heartbeatMs * (0.9 + 0.2 * Math.random());
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private complain(error: unknown): void {
    this.logger.warn({ err: error }, 'this replica could not tell the registry of itself');
  }
}
