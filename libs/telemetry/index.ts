export * from './counts.js';
export * from './distribution.js';
export * from './logger.js';
export * from './metrics.js';
export * from './request-context.js';
export * from './tracing-options.js';
export * from './tracing.js';
