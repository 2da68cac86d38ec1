export { describeSettings } from './describe.js';
export { loadSettings, type LoadedSettings } from './load.js';
export { SettingsError, type SettingsProblem } from './problems.js';
export { settingsReference } from './reference.js';
export type { Settings } from './settings.js';
export type { Profile, Choices } from './variables.js';
export { extensionsIn } from './variables.js';
