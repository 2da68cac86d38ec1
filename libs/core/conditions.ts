import { BackendError } from './errors.js';
import { keyText, type InstanceKey } from './instance.js';
import type { WriteOptions } from './registrar.js';
import { compareVersions, type Version } from './version.js';

// What a write asks of what it finds, in the same words whatever the registry.

export function notFound({ serviceName, serviceId }: InstanceKey): BackendError {
  return new BackendError('NOT_FOUND', `no instance ${serviceId} of service ${serviceName}`);
}

export function conflict(key: InstanceKey, ifVersion: Version): BackendError {
  return new BackendError('CONFLICT', `${keyText(key)} is not at version ${ifVersion} any more`);
}

/**
 * @param version What there is now; undefined when there is no instance.
 * @throws BackendError `CONFLICT` when the caller has meant another.
 */
export function checkVersion(key: InstanceKey, version: Version | undefined, { ifVersion }: WriteOptions): void {
  if (ifVersion === undefined) return;
  if (version !== undefined && compareVersions(version, ifVersion) === 0) return;
  throw conflict(key, ifVersion);
}
