import type { FastifyRequest } from 'fastify';
import type { Actor } from '#core';
import { addressOf } from '../http/trusted-proxies.js';
import { Scope, type Described, type Grant } from './grants.js';
import { originOf } from './rate-limit.js';
import type { Need, NeededRole } from './roles.js';
import { visibilityOf, type Visibility } from './visibility.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Known before anything is done for it. */
    caller: Caller;
  }
}

/** How a caller is called who is not known. */
export const ANONYMOUS = 'anonymous';

/** Somebody who asks, and what that one may do. */
export class Caller {
  readonly visibility: Visibility;
  private readonly scopes: readonly Scope[];

  /** @param name `scheme:identity`, or `anonymous`. */
  constructor(
    readonly name: string,
    grants: readonly Grant[],
    /** From then on it is nobody any more: milliseconds since the epoch. */
    readonly expiresAt = Infinity,
  ) {
    this.scopes = grants.map((grant) => new Scope(grant));
    this.visibility = visibilityOf(this.scopes);
  }

  /** Whether it may take the route, as far as the path says what with. */
  mayTake({ role, instancesOf, service, everything }: Need, params: Readonly<Record<string, string>>): boolean {
    // The services that are meant are folded to lower case later.
    if (service !== undefined) return this.mayWithAllOf(params[service]!.toLowerCase(), role);
    if (instancesOf !== undefined) return this.mayWithSomeOf(params[instancesOf]!.toLowerCase(), role);
    return this.scopes.some((scope) => scope.includes(role) && (!everything || scope.isEverything));
  }

  /** Whether it may do so with this very instance. */
  mayWith(instance: Described, role: NeededRole): boolean {
    return this.scopes.some((scope) => scope.includes(role) && scope.covers(instance));
  }

  mayWithAllOf(serviceName: string, role: NeededRole): boolean {
    return this.scopes.some((scope) => scope.includes(role) && scope.whole && scope.isOf(serviceName));
  }

  private mayWithSomeOf(serviceName: string, role: NeededRole): boolean {
    return this.scopes.some((scope) => scope.includes(role) && scope.isOf(serviceName));
  }
}

/** Who writes: what that one may do, and what is stored with the change. */
export interface Author {
  readonly caller: Caller;
  readonly actor: Actor;
  readonly holder: string;
}

export function authorOf(request: FastifyRequest): Author {
  return { caller: request.caller, actor: actorOf(request), holder: holderOf(request) };
}

/** Whose something counts as that callers may have so many of: a known one's wherever it asks from, others' by where they are. */
export function holderOf(request: FastifyRequest): string {
  const { name } = request.caller;
  return name === ANONYMOUS ? originOf(addressOf(request)) : name;
}

/** Who asks, for what is stored with a change. */
export function actorOf(request: FastifyRequest): Actor {
  return `${request.caller.name}@${addressOf(request)}`;
}
