import type { BackendModule } from '#core';
import { ALL_NAMESPACES, options } from './options.js';

export const kubernetes = {
  type: 'kubernetes',
  summary: 'Services and EndpointSlices, read-only; with KUBERNETES_WRITE it registers too',
  options,
  create: async (given, context) => {
    const [{ Access }, { Client }, { KubernetesBackend }] = await Promise.all([
      import('./access.js'),
      import('./client.js'),
      import('./backend.js'),
    ]);
    const connect = () => {
      const access = Access.of({ kubeconfig: given.KUBECONFIG, context: given.KUBERNETES_CONTEXT });
      const {
        KUBERNETES_NAMESPACE: names = [access.namespace],
        KUBERNETES_WRITE: write,
        REGISTRY_PREFIX: prefix,
      } = given;
      const namespaces = names[0] === ALL_NAMESPACES ? undefined : [...new Set(names)];
      return { client: new Client(access), options: { namespaces, write, prefix } };
    };
    return new KubernetesBackend(connect, given.KUBERNETES_WRITE, context);
  },
} satisfies BackendModule<typeof options>;
