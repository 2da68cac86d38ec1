const BATCH = 1_000;
/** The instances live without heartbeats for as long as a run takes. */
const TTL = '1h';

/** Services `service-0`…, each with as many instances, spread over ten groups by a tag. */
export function registration(n: number, services: number, fields: object = {}): object {
  const service = n % services;
  return {
    name: `service-${service}`,
    id: `instance-${n}`,
    host: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    port: 8_080,
    tags: ['all', `group-${Math.floor(n / 10)}`, ...(service % 10 === 0 ? ['api', 'v1'] : [])],
    metadata: { version: '1.0.0', cpu_usage: String(n % 90) },
    region: n % 2 === 0 ? 'eu' : 'us',
    zone: `zone-${n % 4}`,
    weight: 50 + (n % 100),
    ttl: TTL,
    ...fields,
  };
}

export interface Seed {
  readonly instances: number;
  readonly services: number;
}

/** Registers instances `from` and on. */
export async function seed(url: string, { instances, services }: Seed, from = 0, fields?: (n: number) => object) {
  for (let begin = from; begin < instances; begin += BATCH) {
    const size = Math.min(BATCH, instances - begin);
    const batch = Array.from({ length: size }, (_, i) => registration(begin + i, services, fields?.(begin + i)));
    const response = await fetch(`${url}/api/v1/services/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
    });
    const { data } = (await response.json()) as { data: { status: number }[] };
    const refused = data.find(({ status }) => status !== 201);
    if (refused) throw new Error(`a registration was refused: ${JSON.stringify(refused)}`);
  }
}
