export { ServiceDiscoveryModule } from './module.js';
export type { ServiceDiscoveryOptions } from './options.js';
export { RegisterApp, type AppRegistration } from './register-app.js';
