import { goPrograms } from './go-program.js';

export const KUBERNETES = goPrograms({
  name: 'kubernetes',
  module: 'k8s.io/kubernetes',
  programs: {
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
    'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  },
  // Clients trip over a server that does not say its version.
  ldflags: (version) =>
    ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
      .map((pkg) => `-X ${pkg}.gitVersion=v${version}`)
      .join(' '),
  minutes: 6,
});

/** Where `STAGES` are, beside the program: what becomes of nodes and pods, without which it does nothing. */
export const { kwok } = goPrograms({
  name: 'kwok',
  module: 'sigs.k8s.io/kwok',
  programs: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
  files: {
    'stages.yaml': [
      'node/fast/node-initialize.yaml',
      'node/heartbeat/node-heartbeat.yaml',
      'pod/fast/pod-ready.yaml',
      'pod/fast/pod-complete.yaml',
      'pod/fast/pod-delete.yaml',
    ].map((path) => `kustomize/stage/${path}`),
  },
  minutes: 2,
});
