import type { Client } from './client.js';
import { ApiError } from './errors.js';
import { CONFIG_MAPS, ENDPOINT_SLICES, LEASES, SERVICES, type Resource } from './objects.js';

/** What writing takes, as k8s/rbac/write.yaml gives it. Whether we may read shows by itself. */
const NEEDED: readonly { readonly resource: Resource; readonly verbs: readonly string[] }[] = [
  { resource: LEASES, verbs: ['create', 'update', 'delete'] },
  { resource: SERVICES, verbs: ['create', 'delete'] },
  { resource: ENDPOINT_SLICES, verbs: ['create', 'update', 'delete'] },
  // Nothing else would show that we may not list them.
  { resource: CONFIG_MAPS, verbs: ['list', 'create', 'patch', 'delete'] },
];
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Asks Kubernetes whether we may write here, so that a missing right is no news of the first registration.
 *
 * @throws ApiError which names what is missing.
 */
export async function checkRights(client: Client, namespace: string): Promise<void> {
  const asked = NEEDED.flatMap(({ resource, verbs }) =>
    verbs.map(async (verb) => ((await mayBe(client, namespace, resource, verb)) ? [] : [`${verb} ${resource.plural}`])),
  );
  const missing = (await Promise.all(asked)).flat();
  if (missing.length === 0) return;
  const message = `Kubernetes does not let us ${missing.join(', ')} in namespace ${namespace}: k8s/rbac/write.yaml has what it takes`;
  throw new ApiError('UNAVAILABLE', message, 403);
}

/** True too when nobody can say: an API server that is away, or one that does not answer that of us. */
async function mayBe(client: Client, namespace: string, { apiVersion, plural }: Resource, verb: string) {
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
  const attributes = { namespace, verb, group, resource: plural };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: attributes },
  };
  try {
    const { status } = await client.create<Review>(REVIEWS, review);
    return status?.allowed !== false;
  } catch {
    return true;
  }
}
