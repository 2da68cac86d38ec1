import type { Answer } from '../../support/http-client.js';
import { until } from '../../support/until.js';
import type { Replica } from './replicas.js';

interface Check {
  readonly service_id: string;
  readonly timestamp: string | null;
}

/** Who makes each check of a service, of replicas without a secret: what a check has found only its owner tells. */
export async function ownersOf(
  replicas: readonly Replica[],
  service: string,
): Promise<ReadonlyMap<string, readonly Replica[]>> {
  const owners = new Map<string, Replica[]>();
  await Promise.all(
    replicas.map(async (replica) => {
      const { data }: Answer<Check[]> = await replica.http.get(`/api/v1/health/${service}/checks`);
      for (const { service_id: id, timestamp } of data) {
        const known = owners.get(id) ?? owners.set(id, []).get(id)!;
        if (timestamp !== null) known.push(replica);
      }
    }),
  );
  return owners;
}

/** Resolves, with the owner of each, once each of so many checks has exactly one, and each replica has some. */
export async function shared(
  replicas: readonly Replica[],
  service: string,
  count: number,
): Promise<ReadonlyMap<string, Replica>> {
  let owners: ReadonlyMap<string, readonly Replica[]> = new Map();
  await until(async () => {
    owners = await ownersOf(replicas, service);
    const busy = new Set([...owners.values()].flat());
    return (
      owners.size === count &&
      [...owners.values()].every((each) => each.length === 1) &&
      replicas.every((each) => busy.has(each))
    );
  }, 60_000);
  return new Map([...owners].map(([id, [owner]]) => [id, owner!]));
}
