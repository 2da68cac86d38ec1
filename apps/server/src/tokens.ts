/** What is injected by token: interfaces and plain values have no class to be asked for by. */
export const SETTINGS = Symbol('Settings');
export const LOGGER = Symbol('Logger');
export const BACKEND = Symbol('RegistryBackend');
export const METRICS = Symbol('Metrics');
export const SEAMS = Symbol('Seams');
export const PROBING = Symbol('Probing');
