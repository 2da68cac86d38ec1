/** A registry, and what somebody would do with it who has no server between: the least that a registration needs there. */
export interface RawRegistry {
  /** The value of `REGISTRY_TYPE`. */
  readonly type: string;
  /** What the server is told of one at this address. */
  readonly environment: (address: string) => Readonly<Record<string, string>>;
  /** What is done, in the words of the registry. */
  readonly operations: Readonly<Record<Operation, string>>;
  readonly connect: (address: string) => Promise<RawClient>;
}

export type Operation = 'register' | 'heartbeat';

export interface RawClient {
  /** Of the n-th instance: one that was never there before. */
  register(n: number): Promise<void>;
  /** Of one that was registered. */
  heartbeat(n: number): Promise<void>;
  close(): Promise<void>;
}

/** Seconds. Longer than a run. */
export const TTL = 3_600;

/** What is stored of the n-th instance: about the bytes that the server stores. */
export function value(n: number): string {
  return JSON.stringify({
    serviceName: `service-${n % 100}`,
    serviceId: `instance-${n}`,
    address: `10.0.${(n >> 8) & 255}.${n & 255}`,
    port: 8_080,
    tags: ['api', 'v1'],
    metadata: { version: '1.0.0', zone: 'zone-1', region: 'eu' },
    registeredAt: 1_700_000_000_000,
    leaseMs: TTL * 1_000,
    reported: 'passing',
    by: 'bench',
  });
}
