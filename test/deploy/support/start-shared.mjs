// Jest runs a file that several projects name for the first of them alone.
export { default } from '../../replicas/support/start-shared.mjs';
