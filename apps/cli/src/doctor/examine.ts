import { RefusedError, ServersUnavailableError, Transport, type ClientOptions } from '#client';
import { Api, type Answer } from '../api/api.js';
import type { InstanceHealth, ServiceHealth, ServiceSummary } from '../api/wire.js';
import { CommandError } from '../errors.js';
import { MENDS, type Finding, type Found } from './findings.js';

/** The header has whole seconds, and its way takes time. */
const SKEW_MS = 3_000;
/** What is shown of heartbeats is up to a second old, and the header has whole seconds. */
const HEARTBEAT_SLACK_MS = 2_500;
/** Of so many services the checks are looked at. */
const SERVICES = 50;
/** As the guard of probes tells it. */
const GUARDED = /\S+ is refused: [^;]*/;

interface OwnHealth {
  readonly checks: {
    readonly registry?: { readonly status: string; readonly source?: string; readonly reason?: string };
  };
}

/** Everything that is found wrong with one server, as far as it can be seen from here. */
export async function examine(server: string, options: Omit<ClientOptions, 'servers'>): Promise<Finding[]> {
  const findings: Finding[] = [];
  const found: Found = (what, seen) => findings.push({ server, what, seen, mend: MENDS[what] });
  const transport = new Transport({ ...options, servers: [server] });
  const before = Date.now();
  let after: number;
  let response: Response;
  let health: OwnHealth;
  try {
    response = await transport.once('GET', '/health', {});
    after = Date.now();
    health = (await response.json()) as OwnHealth;
  } catch (error) {
    found('server away', (error as Error).message);
    return findings;
  }
  const { registry } = health.checks;
  if (registry?.status === 'down') found('registry away', registry.reason ?? 'it does not say why');
  const now = Date.parse(response.headers.get('date') ?? '');
  // Ours in the middle of it; theirs was cut to seconds.
  const skewMs = now + 500 - (before + after) / 2;
  if (Math.abs(skewMs) > SKEW_MS + (after - before) / 2)
    found(
      'clock skew',
      `its clock is ${seconds(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`,
    );
  try {
    const api = new Api(transport);
    const answer = await api.services({ include: 'instances' });
    ofView(answer, found);
    for (const service of answer.data) ofService(service, now, found);
    for (const service of answer.data.filter(isIll).slice(0, SERVICES))
      ofChecks((await api.health(service.service_name, {})).data, found);
  } catch (error) {
    ofRefusal(error, found);
  }
  return findings;
}

function ofView({ headers }: Answer<unknown>, found: Found): void {
  const source = headers.get('x-registry-source') ?? 'live';
  if (source === 'live') return;
  const age = seconds(Number(headers.get('x-registry-age')));
  found(
    'stale view',
    source === 'stale' ? `answers are of ${age} ago` : `answers are of an earlier process, ${age} ago`,
  );
}

function ofService({ service_name: name, instances = [] }: ServiceSummary, now: number, found: Found): void {
  const held = instances.filter((each) => each.held);
  if (held.length > 0) found('instances held', `${held.length} of ${instances.length} instances of ${name}`);
  for (const { service_id: id, ttl, last_heartbeat: heard, held: isHeld } of instances) {
    if (isHeld || ttl === null || heard === null) continue;
    const silentMs = now - Date.parse(heard);
    if (silentMs > (ttl * 1_000) / 2 + HEARTBEAT_SLACK_MS)
      found('TTL below twice the heartbeat', `${name} ${id}: silent for ${seconds(silentMs)} of a TTL of ${ttl} s`);
  }
}

/** Looks nothing up: what the probe has said is read. */
function ofChecks(health: ServiceHealth | InstanceHealth, found: Found): void {
  const instances = 'instances' in health ? health.instances : [health];
  for (const { service_name, service_id, checks } of instances)
    for (const { output } of checks) {
      const [refusal] = GUARDED.exec(output) ?? [];
      if (refusal !== undefined) found('guarded probe', `${service_name} ${service_id}: ${refusal}`);
    }
}

function isIll({ instances = [] }: ServiceSummary): boolean {
  return instances.some(({ status }) => status === 'warning' || status === 'critical');
}

function ofRefusal(error: unknown, found: Found): void {
  if (error instanceof ServersUnavailableError || error instanceof CommandError) found('server away', error.message);
  else if (error instanceof RefusedError && error.status === 401) found('wrong credential', error.message);
  else if (error instanceof RefusedError && error.status === 403) found('missing right', error.message);
  else throw error;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
