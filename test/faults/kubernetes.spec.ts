import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Etcdctl } from '../backends/etcd/etcdctl.js';
import { Admin } from '../backends/kubernetes/support/admin.js';
import { kubernetes, startApiServer } from '../servers/kubernetes.js';
import type { Server } from '../servers/server.js';
import { temporaryFolder } from '../support/process.js';
import type { Fault } from './support/fault.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, JUMPS, KILLED, SLOW } from './support/faults.js';
import { oneProcess, type Subject } from './support/subject.js';
import { faultsOf } from './support/suite.js';

let apiServer: Server;

/** A watch from where the server was is answered 410. */
const GONE: Fault = {
  ...CUT,
  name: 'history gone (410) while cut off',
  meanwhile: async ({ others }) => {
    await others.change();
    await new Etcdctl(apiServer.companions[0]!.address).compact();
  },
};

async function start(): Promise<Subject> {
  apiServer = await startApiServer();
  const [etcd] = apiServer.companions as [Server];
  const admin = new Admin(apiServer.address);
  const namespaces = new Set<string>();
  const create = (name: string) => admin.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  return {
    ...oneProcess(apiServer),
    port: admin.port,
    environment: async (port, trial) => {
      if (!namespaces.has(trial)) {
        namespaces.add(trial);
        await create(trial);
      }
      const KUBECONFIG = join(await temporaryFolder(), 'kubeconfig');
      await writeFile(KUBECONFIG, admin.kubeconfig({ port }));
      return { REGISTRY_TYPE: 'kubernetes', KUBECONFIG, KUBERNETES_NAMESPACE: trial, KUBERNETES_WRITE: 'true' };
    },
    forget: async () => {
      await apiServer.kill();
      await etcd.forget();
    },
    restart: async () => {
      await etcd.restart();
      await apiServer.restart();
      // Those that were lost.
      await Promise.all([...namespaces].map((name) => create(name).catch(() => undefined)));
    },
    stop: async () => {
      admin.close();
      await apiServer.stop();
    },
  };
}

faultsOf(kubernetes, {
  start,
  apart: [CUT, SLOW, JUMPS, GONE, ALONE],
  together: [KILLED, FROZEN, FORGOTTEN, FORGOTTEN_AND_HELD],
  walk: true,
});
