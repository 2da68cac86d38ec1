export {
  Configuration,
  VersionMismatch,
  type ConfigWrite,
  type HistoryRequest,
  type Precondition,
  type Resolved,
  type Written,
} from './configuration.js';
export { ALL, documentKey, documentOf, schemaKey } from './keys.js';
export { ConfigView, type ConfigFreshness, type ConfigListener } from './view.js';
