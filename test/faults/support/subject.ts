import type { Server } from '../../servers/server.js';
import type { Environment } from '../../support/process.js';

/** A registry that faults befall. */
export interface Subject {
  readonly server: Server;
  /** Where it listens on loopback. */
  readonly port: number;
  /** Of a server that reaches it at this port, and shares its instances with those of the same trial. */
  environment(port: number, trial: string): Environment;
  /** Ends it as a crash does, and its data with it. Restart it. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}
