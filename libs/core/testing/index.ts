export * from './authentication.contract.js';
export * from './backend.contract.js';
export * from './config-store.contract.js';
export * from './probe.contract.js';
export * from './registrations.js';
export * from './scripted-backend.js';
export * from './strategy.contract.js';
export * from './watcher.js';
