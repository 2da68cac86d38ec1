import type { z } from 'zod';
import type {
  InstanceAnswer,
  serviceAnswer,
  serviceSummaryAnswer,
} from '../../apps/server/src/api/v1/schemas/answers.js';
import type { Answer, HttpClient } from './http-client.js';

export type Instance = InstanceAnswer;
export type Service = z.output<typeof serviceAnswer>;
export type ServiceSummary = z.output<typeof serviceSummaryAnswer>;

let made = 0;

/** A name that no other test of this file uses. */
export function fresh(prefix = 'svc'): string {
  return `${prefix}-${++made}`;
}

/** A registration that nothing is wrong with: no check, so nothing is ever probed. */
export function body(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { service_name: 'api', address: '127.0.0.1', port: 8080, ...over };
}

export function instancePath(service: string, id: string): string {
  return `/api/v1/services/${service}/instances/${encodeURIComponent(id)}`;
}

/** Registers, and fails with the answer when that does not succeed. */
export async function register(http: HttpClient, over: Readonly<Record<string, unknown>> = {}): Promise<Instance> {
  const answer: Answer<Instance> = await http.post('/api/v1/services', body(over));
  return answer.data;
}

/** Registers one instance of the service for each id, with what is given for it. */
export async function registerAll(
  http: HttpClient,
  service: string,
  instances: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<void> {
  for (const [id, over] of Object.entries(instances)) await register(http, { service_name: service, id, ...over });
}

/** The only way an instance comes to be critical without a probe: it says so itself. */
export async function report(http: HttpClient, service: string, id: string, status: string): Promise<void> {
  const answer = await http.put(`${instancePath(service, id)}/heartbeat`, { status });
  if (answer.status !== 200) throw new Error(answer.text);
}

export function ids(instances: readonly { readonly service_id: string }[]): string[] {
  return instances.map(({ service_id }) => service_id);
}
