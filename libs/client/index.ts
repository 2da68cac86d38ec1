export type { HealthStatus, InstanceStatus, Outcome } from '#core';
export { STRATEGIES, UnknownStrategyError } from '#balancing';
export type { Clock } from './clock.js';
export { DiscoveryClient } from './client.js';
export { Follower, type FollowerOptions, type Listener, type WatchEvent } from './discovery/follower.js';
export type { Filter, Picked, PickOptions } from './discovery/picker.js';
export type { ViewSource } from './discovery/view.js';
export {
  DiscoveryError,
  NoInstanceError,
  NotReadyError,
  OutcomeUnknownError,
  RefusedError,
  ServersUnavailableError,
} from './errors.js';
export type { Instance } from './instance.js';
export type { ClientOptions } from './options.js';
export type { Leaving, Registration, StopOptions } from './registration/registration.js';
export type { Load, RegistrationRequest } from './registration/request.js';
export { CallResponse, type Call } from './communicator/call.js';
export {
  ServiceCommunicator,
  type CallEvents,
  type CommunicatorOptions,
  type ParallelResult,
} from './communicator/communicator.js';
export { CallFailedError, CircuitOpenError, StatusError } from './communicator/errors.js';
export { policyFrom, PRESETS, type CallPolicy } from './communicator/policy.js';
export { Transport, type Sent } from './transport.js';
