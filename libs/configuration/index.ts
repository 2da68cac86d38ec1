export {
  Configuration,
  VersionMismatch,
  type ConfigWrite,
  type HistoryRequest,
  type Precondition,
  type Written,
} from './configuration.js';
export { ALL, documentKey, documentOf } from './keys.js';
export { ConfigView, type ConfigFreshness } from './view.js';
