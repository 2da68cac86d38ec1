import { DiscoveryError } from '../errors.js';

/** No attempt has been answered. `cause` is what the last one met. */
export class CallFailedError extends DiscoveryError {
  override readonly name = 'CallFailedError';

  constructor(
    readonly service: string,
    readonly attempts: number,
    cause: unknown,
  ) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super('CALL_FAILED', `${service} was not reached in ${attempts} attempts: ${why}`, { cause });
  }
}

/** The service has failed too often in a row: it is left alone for a while. */
export class CircuitOpenError extends DiscoveryError {
  override readonly name = 'CircuitOpenError';

  constructor(readonly service: string) {
    super('CIRCUIT_OPEN', `${service} has failed too often: it is left alone for a while`);
  }
}

/** An answer that is no success, of a call that was to bring JSON. */
export class StatusError extends DiscoveryError {
  override readonly name = 'StatusError';

  constructor(
    readonly service: string,
    readonly status: number,
    readonly body: string,
  ) {
    super('STATUS', `${service} answered ${status}: ${body.slice(0, 200)}`);
  }
}
