import type { ErrorCode, HealthStatus, InstanceKey, ProbeResult, ServiceInstance, Vitals } from '#core';

/**
 * Where the monitor's findings go. The instance is the one it has last been told of: its version is
 * what a write is conditional on. Rejections are `BackendError`s; each call brings its own deadline.
 */
export interface HealthSink {
  setStatus(instance: ServiceInstance, status: HealthStatus, result: ProbeResult): Promise<void>;
  /** Removes an instance that was critical for too long. */
  evict(instance: ServiceInstance): Promise<void>;
  /** What moves with every probe. Milliseconds since the epoch. */
  observe(key: InstanceKey, vitals: Vitals & { readonly lastHealthCheck: number }): void;
}

/** Another change came first, and the registry's view will show it: nothing is wrong, and nothing to be repeated. */
export function isOvertaken(code: ErrorCode): boolean {
  return code === 'CONFLICT' || code === 'NOT_FOUND';
}
