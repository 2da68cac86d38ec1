import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { Role } from '#core';
import { Problems } from '../api/openapi.js';
import { ApiExtension } from '../docs/decorators.js';

/** `public`: nobody is asked who they are. `peer`: for other replicas alone, whatever anybody else may do. */
export type NeededRole = 'public' | Role | 'peer';

/** What a caller must be allowed for a route. */
export interface Need {
  readonly role: NeededRole;
  /** The part of the path that names the service whose instances the route is about: it is for those who may do so with some of them. */
  readonly instancesOf?: string;
  /** The part of the path that names the service that the route is about, all of it. */
  readonly service?: string;
  /** It tells of all services: it is for those who may do so with each. */
  readonly everything?: boolean;
  /** It comes all the time, and changes nothing that an audit would tell. */
  readonly routine?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly need?: Need;
  }
}

/**
 * What a route needs, for the gate and for the document; every route declares it. Stands above other configuration of
 * the route, which it keeps.
 */
export function Needs(role: NeededRole, about: Omit<Need, 'role'> = {}): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const others = routeConfigOf(descriptor.value as object);
    RouteConfig({ ...others, need: { role, ...about } })(target, key, descriptor);
    ApiExtension('x-required-role', role)(target, key, descriptor);
    if (role !== 'public') Problems(401, 403, 429)(target, key, descriptor);
  };
}

/** What a handler says of its route. */
export function routeConfigOf(handler: object): { readonly need?: Need } {
  return (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as { need?: Need } | undefined) ?? {};
}
