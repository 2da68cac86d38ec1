import { readFileSync } from 'node:fs';
import { sender } from './http.js';
import { TTL, value, type RawRegistry } from './raw-client.js';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

export const kubernetes: RawRegistry = {
  type: 'kubernetes',
  environment: (kubeconfig) => ({
    KUBECONFIG: kubeconfig,
    KUBERNETES_NAMESPACE: 'default',
    KUBERNETES_WRITE: 'true',
  }),
  operations: { register: 'a Lease is created', heartbeat: 'its renewTime is patched' },
  connect: async (kubeconfig) => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const { server, caFile } = config.getCurrentCluster()!;
    const { send, close } = sender(server, {
      ca: readFileSync(caFile!),
      headers: { authorization: `Bearer ${config.getCurrentUser()!.token}` },
    });
    const spec = () => ({ leaseDurationSeconds: TTL, renewTime: new Date().toISOString().replace('Z', '000Z') });
    return {
      register: (n) =>
        send('POST', LEASES, {
          metadata: { name: `raw-${n}`, annotations: { value: value(n) } },
          spec: spec(),
        }),
      heartbeat: (n) => send('PATCH', `${LEASES}/raw-${n}`, { spec: spec() }, 'application/merge-patch+json'),
      close,
    };
  },
};
