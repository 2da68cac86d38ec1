import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Presented, ShownCertificate } from '#core';

/** What a request brings; what is dear to find out, only when it is asked for. */
export class Brought implements Presented {
  constructor(
    private readonly request: IncomingMessage,
    private readonly trusts: (address: string | undefined) => boolean,
  ) {}

  get headers(): Presented['headers'] {
    return this.request.headers;
  }

  get address(): string {
    return this.request.socket.remoteAddress ?? '';
  }

  get trusted(): boolean {
    return this.trusts(this.address);
  }

  get certificate(): ShownCertificate | undefined {
    const { socket } = this.request;
    return socket instanceof TLSSocket ? shownOn(socket) : undefined;
  }
}

/** What a request has brought, for when it and its connection have gone. */
export function kept({ headers, address, trusted, certificate }: Presented): Presented {
  return { headers, address, trusted, certificate };
}

/** By connection: a certificate is of all its requests. */
const shown = new WeakMap<TLSSocket, ShownCertificate | null>();

function shownOn(socket: TLSSocket): ShownCertificate | undefined {
  let known = shown.get(socket);
  if (known === undefined) {
    const certificate = socket.getPeerX509Certificate();
    known = certificate
      ? {
          verified: socket.authorized,
          altNames: certificate.subjectAltName ?? '',
          expiresAt: Date.parse(certificate.validTo),
        }
      : null;
    shown.set(socket, known);
  }
  return known ?? undefined;
}

const BEARER = /^bearer +(\S+) *$/i;

/** The token of `Authorization: Bearer` (RFC 6750, section 2.1). */
export function bearerIn({ headers: { authorization } }: Presented): string | undefined {
  return typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
}

export const BEARER_CHALLENGE = 'Bearer realm="service-discovery"';
