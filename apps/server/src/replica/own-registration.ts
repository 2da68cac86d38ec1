import { setTimeout as sleep } from 'node:timers/promises';
import { BackendError, keyOf, type Logger, type Registration } from '#core';
import type { Registrations } from '../registration/registrations.js';

const ACTOR = 'service-discovery';
/** Short: what was killed is not to stand in lists for minutes. */
const LEASE_MS = 15_000;
const HEARTBEAT_MS = LEASE_MS / 3;
/** Until the registry knows of us, no other replica counts on us: that is not to last a whole heartbeat. */
const RETRY_MS = 1_000;

export interface OwnRegistrationOptions extends Pick<
  Registration,
  'serviceName' | 'serviceId' | 'metadata' | 'protocol'
> {
  /** Where the other replicas reach this one. */
  readonly address: string;
  readonly port: number;
  readonly heartbeatMs?: number;
}

/** This replica as an instance of its own registry: how replicas know each other. */
export class OwnRegistration {
  private readonly stopping = new AbortController();
  private beating: Promise<void> = Promise.resolve();
  private readonly registration: Registration;
  private readonly heartbeatMs: number;
  private registered = false;
  private complained = false;

  constructor(
    private readonly registrations: Registrations,
    { heartbeatMs = HEARTBEAT_MS, ...self }: OwnRegistrationOptions,
    private readonly logger: Logger,
  ) {
    this.registration = { ...self, tags: [], ttl: LEASE_MS };
    this.heartbeatMs = heartbeatMs;
  }

  start(): void {
    this.beating = this.beat();
  }

  /** Takes it out again, so that nobody asks this replica any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.beating;
    try {
      await this.registrations.deregisterAs(keyOf(this.registration), ACTOR);
    } catch (error) {
      if (this.registered && !isUnknown(error)) this.complain(error);
    }
  }

  private async beat(): Promise<void> {
    const { signal } = this.stopping;
    const { heartbeatMs } = this;
    while (!signal.aborted) {
      await this.tell();
      const pause = this.registered ? heartbeatMs : Math.min(RETRY_MS, heartbeatMs);
      await sleep(pause * (0.9 + 0.2 * Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async tell(): Promise<void> {
    try {
      if (this.registered) await this.registrations.heartbeatAs(keyOf(this.registration), {}, ACTOR);
      else await this.registrations.registerAs(this.registration, ACTOR);
      this.registered = true;
      this.complained = false;
    } catch (error) {
      if (this.registered && isUnknown(error)) this.registered = false;
      else this.complain(error);
    }
  }

  /** Once for each time that it begins to fail. */
  private complain(error: unknown): void {
    if (this.complained) return;
    this.complained = true;
    this.logger.warn({ err: error }, 'this replica could not tell the registry of itself');
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof BackendError && error.code === 'NOT_FOUND';
}
