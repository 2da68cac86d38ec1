/** What this client throws; `code` is stable. A signal's own reason goes through as it is. */
export class DiscoveryError extends Error {
  override readonly name: string = 'DiscoveryError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No server has taken the request. What was asked for may be asked for again. */
export class ServersUnavailableError extends DiscoveryError {
  override readonly name = 'ServersUnavailableError';

  constructor(readonly causes: readonly Error[]) {
    super('SERVERS_UNAVAILABLE', `no server answers: ${causes.map(({ message }) => message).join('; ')}`);
  }
}

/** Of a write under a condition there was no answer: done again it would be refused where it was done. Look first. */
export class OutcomeUnknownError extends DiscoveryError {
  override readonly name = 'OutcomeUnknownError';

  constructor(cause: Error) {
    super('OUTCOME_UNKNOWN', `it is not known whether this was done: ${cause.message}`, { cause });
  }
}

/** A server has understood the request and refused it: asking again changes nothing. */
export class RefusedError extends DiscoveryError {
  override readonly name = 'RefusedError';

  constructor(
    readonly status: number,
    /** The server's own, `INVALID_REQUEST` say. */
    code: string,
    detail: string,
    /** Of bad input: where, and what would be right. */
    readonly errors: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(code, [detail, ...errors.map(({ path, message }) => `${path} ${message}`)].join('; '));
  }
}

/** No server has told anything yet, and no snapshot was found. */
export class NotReadyError extends DiscoveryError {
  override readonly name = 'NotReadyError';

  constructor() {
    super('NOT_READY', 'nothing is known yet: await ready() first');
  }
}

/** Of this service there is no instance now that is fit to be called. */
export class NoInstanceError extends DiscoveryError {
  override readonly name = 'NoInstanceError';

  constructor(readonly service: string) {
    super('NO_INSTANCE', `no instance of ${service} is fit to be called`);
  }
}
