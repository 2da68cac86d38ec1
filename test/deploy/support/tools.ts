import { debianProgram } from '../../servers/debian-program.js';
import { goPrograms } from '../../servers/go-program.js';

/** Builds an image of a Dockerfile, and has its file system mounted. */
export const buildah = debianProgram('buildah', 1, 'buildah');

export const { helm } = goPrograms({
  name: 'helm',
  module: 'helm.sh/helm/v3',
  programs: { helm: 'helm.sh/helm/v3/cmd/helm' },
  ldflags: (version) => `-X helm.sh/helm/v3/internal/version.version=v${version}`,
  minutes: 2,
});

export const TOOLS = [buildah, helm];
