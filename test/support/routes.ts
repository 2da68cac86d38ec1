import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { routeConfigOf, type Need } from '../../apps/server/src/auth/roles.js';
import type { TestServer } from './server.js';

/** `GET /api/v1/services/{name}` for everything that the router knows, but HEAD, which goes with GET. */
export function routesOf({ server }: TestServer): string[] {
  const printed = server.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const prefixes: string[] = [];
  return printed.split('\n').flatMap((line) => {
    const {
      indent = '',
      part = '',
      methods = '',
    } = /^(?<indent>[│ ]*)[├└]── (?<part>\S*)(?: \((?<methods>[A-Z, ]+)\))?/.exec(line)?.groups ?? {};
    if (part === '') return [];
    const depth = indent.length / 4;
    prefixes.length = depth;
    prefixes.push(part);
    const path = prefixes.join('').replace(/:(\w+)/g, '{$1}');
    const taken = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    return taken.map((method) => `${method} ${path}`);
  });
}

export interface Handler {
  /** `DiscoveryController.services` */
  readonly name: string;
  readonly method: string;
  /** With the path of its controller. */
  readonly path: string;
  readonly need: Need | undefined;
}

/** Every handler of every controller that the application has. */
export function handlersOf({ server }: TestServer): Handler[] {
  const controllers = [...server.app.get(ModulesContainer).values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  return controllers.flatMap(({ metatype }) => {
    const { prototype, name } = metatype as { prototype: Record<string, object>; name: string };
    return Object.getOwnPropertyNames(prototype).flatMap((key) => {
      const handler = key === 'constructor' ? undefined : prototype[key];
      if (typeof handler !== 'function' || Reflect.getMetadata(PATH_METADATA, handler) === undefined) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number]!;
      const path = [metatype!, handler].map((of) => String(Reflect.getMetadata(PATH_METADATA, of))).join('/');
      return [{ name: `${name}.${key}`, method, path, need: routeConfigOf(handler).need }];
    });
  });
}
