import type { DialectModule } from './dialect.js';
import { gatewayReplacement } from './gateway-replacement/index.js';
import { heartbeat } from './heartbeat/index.js';

export { served, type DialectModule } from './dialect.js';

export const DIALECTS: readonly DialectModule[] = [heartbeat, gatewayReplacement];
