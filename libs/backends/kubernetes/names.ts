import { createHash } from 'node:crypto';
import { keyText, type InstanceKey } from '#core';

const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const SERVICE_NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HASH_LENGTH = 32;

export const SERVICE_OF_SLICE = 'kubernetes.io/service-name';
export const MANAGER_OF_SLICE = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'app.kubernetes.io/managed-by';

export function isLabelValue(text: string): boolean {
  return LABEL_VALUE.test(text);
}

/** Whether a Service may have this name: a DNS label of RFC 1035. */
export function isServiceName(text: string): boolean {
  return SERVICE_NAME.test(text);
}

/** A name for the object of an instance, whose own key may have characters that no object's name can have. */
export function hashedName(prefix: string, key: InstanceKey): string {
  return `${prefix}-${createHash('sha256').update(keyText(key)).digest('hex').slice(0, HASH_LENGTH)}`;
}
