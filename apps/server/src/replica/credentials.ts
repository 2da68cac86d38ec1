import { createHmac, timingSafeEqual } from 'node:crypto';

const SCHEME = 'Replica';

/**
 * How replicas show each other that they know REPLICA_SECRET. The secret itself is never sent: a token is
 * made of it for one recipient, and is worth nothing to any other, nor once that process has ended.
 */
export class Credentials {
  constructor(private readonly secret: string | undefined) {}

  /** Without a secret there is nobody to ask, and nobody is answered. */
  get known(): boolean {
    return this.secret !== undefined;
  }

  headersFor(recipient: string): { readonly authorization: string } {
    return { authorization: `${SCHEME} ${this.tokenFor(recipient).toString('base64url')}` };
  }

  /** Whether it is a token of a replica, be it good or not. */
  isToken(authorization: string): boolean {
    return authorization.startsWith(`${SCHEME} `);
  }

  admits(authorization: string, recipient: string): boolean {
    const [scheme, token = ''] = authorization.split(' ');
    if (!this.known || scheme !== SCHEME) return false;
    const [given, right] = [Buffer.from(token, 'base64url'), this.tokenFor(recipient)];
    return given.length === right.length && timingSafeEqual(given, right);
  }

  private tokenFor(recipient: string): Buffer {
    return createHmac('sha256', this.secret!).update(recipient).digest();
  }
}
