import type { Server } from '../../servers/server.js';
import type { Environment } from '../../support/process.js';

/** A registry that faults befall. */
export interface Subject {
  /** Where it listens on loopback. */
  readonly port: number;
  /** One server alone is in front of it. */
  readonly alone?: boolean;
  /** Of a server that reaches it at this port, and shares its instances with those of the same trial. */
  readonly environment: (port: number, trial: string) => Environment | Promise<Environment>;
  /** Ends it as a crash does. Its data stay. */
  readonly kill: () => Promise<void>;
  /** As `kill`, and its data go with it. */
  readonly forget: () => Promise<void>;
  /** Starts it again. */
  readonly restart: () => Promise<void>;
  /** It keeps its connections and answers nothing. */
  readonly suspend: () => Promise<void>;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
}

/** What can be done to a registry that is one process. */
export function oneProcess(server: Server): Omit<Subject, 'port' | 'environment'> {
  return {
    kill: () => server.kill(),
    forget: () => server.forget(),
    restart: () => server.restart(),
    suspend: () => server.suspend(),
    resume: () => server.resume(),
    stop: () => server.stop(),
  };
}
