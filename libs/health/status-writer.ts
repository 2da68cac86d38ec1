import { asBackendError, keyOf, type HealthStatus, type Logger, type ProbeResult } from '#core';
import { isOvertaken, type HealthSink } from './sink.js';
import type { Underway } from './underway.js';
import { probedStatus, type Watched } from './watched.js';

/** Tells the registry what probes have found, when that is not what it says already. */
export class StatusWriter {
  /** While the registry is away nothing is written. */
  online = true;

  constructor(
    private readonly sink: HealthSink,
    private readonly underway: Underway,
    private readonly logger: Logger,
  ) {}

  /**
   * To be called after every probe, and for what is unwritten also between them: a write that failed is tried again, one
   * that does not show yet is not.
   */
  settle(watched: Watched): void {
    const { status, told, instance, result } = watched;
    if (!result || watched.writing) return;
    if (told?.status === status && told.version === instance.version) return;
    watched.contested = false;
    watched.unwritten = status !== probedStatus(instance);
    if (!watched.unwritten || !this.online) return;
    watched.told = { status, version: instance.version };
    watched.writing = this.underway.add(this.write(watched, status, result));
  }

  private async write(watched: Watched, status: HealthStatus, result: ProbeResult): Promise<void> {
    const { instance, failing } = watched;
    const fields = { ...keyOf(instance), before: probedStatus(instance), status, output: result.output };
    try {
      await this.sink.setStatus(instance, status, result);
      watched.unwritten = watched.failing = false;
      this.logger.debug(fields, 'health status changed');
    } catch (error) {
      const { code, message } = asBackendError(error);
      if (isOvertaken(code)) {
        watched.contested = true;
        watched.unwritten = false;
        this.logger.debug({ ...fields, code }, 'health status overtaken by another change');
      } else {
        watched.told = undefined;
        watched.failing = true;
        // Once, however often it is tried again.
        if (!failing) this.logger.warn({ ...fields, code, error: message }, 'health status not written');
      }
    } finally {
      watched.writing = undefined;
    }
  }
}
