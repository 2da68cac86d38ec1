import type { Heartbeat, JsonObject } from '#core';
import type { Patch } from '../../registration/registrations.js';
import type { CheckWish, RegistrationWish } from '../../registration/wish.js';
import type { HealthCheckInput, RegistrationInput } from './schemas/registration.js';
import type { HeartbeatInput, PatchInput } from './schemas/writes.js';

// What this API takes, in the words of the use cases.

export function wishOf(input: RegistrationInput): RegistrationWish {
  const { service_name, service_id, enable_tag_override, health_check, ...rest } = input;
  return {
    ...rest,
    serviceName: service_name,
    serviceId: service_id,
    enableTagOverride: enable_tag_override,
    check: health_check && checkOf(health_check),
  };
}

function checkOf(input: HealthCheckInput): CheckWish | undefined {
  const {
    enabled,
    success_before_passing: successBeforePassing,
    failures_before_critical: failuresBeforeCritical,
    deregister_critical_service_after: deregisterCriticalAfter,
    ...rest
  } = input;
  if (enabled === false) return undefined;
  const { type, interval, timeout, ttl, ...options } = rest;
  const common = {
    type,
    interval,
    timeout,
    ttl,
    successBeforePassing,
    failuresBeforeCritical,
    deregisterCriticalAfter,
  };
  return { ...common, options: options as JsonObject };
}

export function heartbeatOf(input: HeartbeatInput): Heartbeat {
  const { status, load_percentage: loadPercentage, active_connections: activeConnections, metadata } = input;
  return { status, loadPercentage, activeConnections, metadata };
}

export function patchOf({ tags, metadata, weight }: PatchInput): Patch {
  return { tags: tags === null ? [] : tags, metadata, weight };
}
