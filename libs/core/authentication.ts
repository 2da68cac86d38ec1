import type { z } from 'zod';
import type { Logger } from './logger.js';

/** What somebody may do: each of these, what the ones before it may. */
export const ROLES = ['reader', 'registrar', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a request brings by which its caller may be known. */
export interface Presented {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the other end of the connection, which may be a proxy. */
  readonly address: string;
  /** The other end is a proxy whose word on its callers the operator trusts. */
  readonly trusted?: boolean;
  /** What it has shown of itself in the handshake of TLS; undefined: nothing. */
  readonly certificate?: ShownCertificate;
}

export interface ShownCertificate {
  /** An authority that the operator trusts has signed it. */
  readonly verified: boolean;
  /** For what it stands: the subject alternative names, as Node writes them. */
  readonly altNames: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Somebody whom a scheme knows. */
export interface Identity {
  /** Unique among those of the scheme, and the same at every request. No secret: it is logged and stored. */
  readonly name: string;
  /** What it may do with all services; absent: only what the operator's rules give it. */
  readonly role?: Role;
  /** When its credential ends: milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** One way to tell who asks. */
export interface AuthenticationScheme {
  /** Of 401s: what a caller may bring instead (RFC 9110, section 11.6.1). */
  readonly challenge: string;
  /** The credential comes with the connection: it counts for requests that bring none themselves. */
  readonly ambient?: boolean;
  /** The credential that a request brings of this scheme; undefined: none. Asked of every request, so it is cheap. */
  credentialIn(request: Presented): string | undefined;
  /**
   * Whose it is; undefined: nobody's. What is found is remembered until it ends, or until the scheme says that
   * something has changed. A rejection says that it cannot be told now, and nothing of the credential.
   */
  identify(credential: string): Identity | undefined | Promise<Identity | undefined>;
  /** Ends whatever it keeps open. */
  stop?(): void;
}

export interface AuthenticationContext {
  readonly logger: Logger;
  /** To be called when credentials may mean something else than before. */
  readonly changed: () => void;
}

/** One line of the list of authentication schemes. */
export interface AuthenticationModule<Options extends z.ZodObject = z.ZodObject> {
  /** Callers are called `name:identity`. */
  readonly name: string;
  readonly summary: string;
  /** Variables of the environment. */
  readonly options: Options;
  /** Whether the operator has asked for it. */
  enabled(options: z.output<Options>): boolean;
  /** @throws Error that an operator can read. */
  create(options: z.output<Options>, context: AuthenticationContext): Promise<AuthenticationScheme>;
}
