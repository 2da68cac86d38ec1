import { afterAll, beforeAll, describe } from '@jest/globals';
import { answersAsMemoryDoes } from '../../support/walk.js';
import { Place } from './support/place.js';

describe('a server with Kubernetes that is written to', () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open();
  });
  afterAll(() => place.close());

  answersAsMemoryDoes(async () => ({
    REGISTRY_TYPE: 'kubernetes',
    KUBECONFIG: await place.file(place.admin.kubeconfig()),
    KUBERNETES_NAMESPACE: place.namespace,
    KUBERNETES_WRITE: 'true',
  }));
});
