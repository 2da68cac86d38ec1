export { AddressRefused, createGuard, type GuardOptions } from './guard.js';
export { HealthMonitor, type HealthMonitorOptions } from './monitor.js';
export { PROBES } from './probes/index.js';
export type { ProbeObserver } from './checker.js';
export type { CheckReport } from './report.js';
export type { HealthSink } from './sink.js';
export { afterProbe, startingAt, type ThresholdLimits, type Thresholds } from './thresholds.js';
