import { afterAll, beforeAll, describe } from '@jest/globals';
import { replicasShareConfiguration } from '../../support/config-replicas.js';
import { Place } from './support/place.js';

describe('configuration on Kubernetes', () => {
  let place: Place;
  let kubeconfig: string;
  beforeAll(async () => {
    place = await Place.open();
    kubeconfig = await place.file(place.admin.kubeconfig());
  });
  afterAll(() => place.close());

  replicasShareConfiguration(
    () => ({
      REGISTRY_TYPE: 'kubernetes',
      KUBECONFIG: kubeconfig,
      KUBERNETES_NAMESPACE: place.namespace,
      KUBERNETES_WRITE: 'true',
    }),
    process.env.SOAK ? 1_000 : 60,
  );
});
