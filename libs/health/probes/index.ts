import type { ProbeModule } from '#core';
import { grpc } from './grpc.js';
import { http } from './http.js';
import { script } from './script.js';
import { tcp } from './tcp.js';
import { ttl } from './ttl.js';

/** Every type of health check. A new one is a file and a line here. */
export const PROBES: readonly ProbeModule[] = [http, tcp, grpc, ttl, script];
