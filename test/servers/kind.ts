import type { Program } from './program.js';
import type { Server } from './server.js';

/** A kind of server that tests can run: one file each, which also says what else can be started of it. */
export interface ServerKind {
  /** That of its tests' jest project, and of the backend. */
  readonly name: string;
  /** The variable of the environment that names one which runs already, for tests to share. */
  readonly variable: string;
  readonly programs: readonly Program[];
  /** One with nothing special about it. */
  start(): Promise<Server>;
}

/** The server that the suites of a run share. Keep to names of your own there, and leave it as healthy as it was. */
export function shared({ name, variable }: ServerKind): string {
  const address = process.env[variable];
  if (address === undefined) throw new Error(`${variable} is not set: run this as npm run test:${name}`);
  return address;
}

/** Whether a suite that starts its own can run here. */
export function hasPrograms({ programs }: Pick<ServerKind, 'programs'>): boolean {
  return programs.every((program) => program.find() !== undefined);
}

/** Whether suites that share one can run here. */
export function isAvailable(kind: ServerKind): boolean {
  return process.env[kind.variable] !== undefined || hasPrograms(kind);
}
