import type { z } from 'zod';
import type { BackendModule } from '#core';
import type { Environment } from './environment.js';
import { fieldInfo } from './field-info.js';
import { readModuleOptions, type ModuleOptions } from './module-options.js';
import type { ProfileChoice } from './resolve.js';

export interface BackendOptions extends ModuleOptions {
  /** The options but for the secrets, as one text: what is of one registry is not of another. */
  readonly identity: string;
}

/** Reads the chosen backend's variables. */
export function readBackendOptions(
  { type, options: schema }: BackendModule,
  environment: Environment,
  profile: ProfileChoice,
): BackendOptions {
  const read = readModuleOptions(schema, environment, profile, { variable: 'REGISTRY_TYPE', value: type });
  const shape: Record<string, z.core.$ZodType> = schema.shape;
  const open = Object.entries(read.options).filter(([name]) => !fieldInfo(shape[name]!).secret);
  return { ...read, identity: JSON.stringify([type, Object.fromEntries(open)]) };
}
