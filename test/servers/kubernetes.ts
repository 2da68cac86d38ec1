import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Etcd, etcd } from './etcd.js';
import type { ServerKind } from './kind.js';
import { kubeconfig, kubeRequest } from './kubeconfig.js';
import { KUBERNETES, kwok } from './kubernetes-programs.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';

// A control plane whose nodes are played by kwok: pods become ready and have addresses, and nothing runs
// in them. A server's address is that of an administrator's kubeconfig.

export const kubernetes = {
  name: 'kubernetes',
  variable: 'TEST_KUBECONFIG',
  programs: [...etcd.programs, ...Object.values(KUBERNETES), kwok],
  start: startCluster,
} satisfies ServerKind;

/** An API server alone, on an etcd of its own: all that leases and endpoints of our own need. */
export function startApiServer(): Promise<Server> {
  return Server.start('kube-apiserver', async (folder, companions) => {
    // It is killed, never its host: what the kernel holds is enough. A thousand writes would wait for a busy disk.
    const { server: storage } = await Etcd.start({ args: ['--unsafe-no-fsync'] });
    companions.push(storage);
    const port = await freePort();
    const [key, tokens, certificates] = ['sa.key', 'tokens.csv', 'certificates'].map((name) => join(folder, name));
    const token = randomUUID();
    await writeFile(key!, signingKey());
    await writeFile(tokens!, `${token},admin,admin,system:masters\n`);
    const address = join(folder, 'kubeconfig');
    await writeFile(address, kubeconfig(`https://127.0.0.1:${port}`, join(certificates!, 'apiserver.crt'), token));
    return {
      program: executable(KUBERNETES['kube-apiserver']),
      args: [
        `--etcd-servers=${storage.address}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${certificates}`,
        // Of nobody: by itself it would look for an address that others reach, and may find none.
        '--advertise-address=192.0.2.1',
        '--service-cluster-ip-range=10.0.0.0/16',
        '--service-account-issuer=https://kubernetes.test',
        `--service-account-key-file=${key}`,
        `--service-account-signing-key-file=${key}`,
        '--authorization-mode=RBAC',
        `--token-auth-file=${tokens}`,
      ],
      address,
      ready: async () => {
        await kubeRequest(address, 'GET', '/api/v1/namespaces/default');
      },
    };
  });
}

/**
 * With a node, and everything that makes pods, and endpoints of pods. An apiserver ends itself when its own first
 * steps take too long, on a busy machine: then it is started anew, once.
 */
function startCluster(): Promise<Server> {
  return tryCluster().catch(tryCluster);
}

async function tryCluster(): Promise<Server> {
  const apiServer = await startApiServer();
  const { address } = apiServer;
  try {
    await kubeRequest(address, 'POST', '/api/v1/nodes', { metadata: { name: 'node-1' } });
    apiServer.companions.push(...(await Promise.all([controllerManager(address), scheduler(address), node(address)])));
  } catch (error) {
    await apiServer.stop();
    throw error;
  }
  return apiServer;
}

function controllerManager(address: string): Promise<Server> {
  const key = join(dirname(address), 'sa.key');
  return Server.start('kube-controller-manager', async () => ({
    program: executable(KUBERNETES['kube-controller-manager']),
    args: [
      `--kubeconfig=${address}`,
      `--service-account-private-key-file=${key}`,
      '--leader-elect=false',
      '--secure-port=0',
    ],
    address,
    // Without this account no pod is let in.
    ready: async () => {
      await kubeRequest(address, 'GET', '/api/v1/namespaces/default/serviceaccounts/default');
    },
  }));
}

function scheduler(address: string): Promise<Server> {
  return Server.start('kube-scheduler', async () => ({
    program: executable(KUBERNETES['kube-scheduler']),
    args: [`--kubeconfig=${address}`, '--leader-elect=false', '--secure-port=0'],
    address,
    // It says nothing; pods wait for it.
    ready: async () => undefined,
  }));
}

function node(address: string): Promise<Server> {
  return Server.start('kwok', async () => {
    const program = executable(kwok);
    return {
      program,
      args: [
        `--kubeconfig=${address}`,
        '--manage-all-nodes=true',
        `--config=${join(dirname(program), 'stages.yaml')}`,
        `--server-address=127.0.0.1:${await freePort()}`,
        // For a thousand pods and more.
        '--cidr=10.1.0.1/16',
      ],
      address,
      ready: async () => {
        const { status } = (await kubeRequest(address, 'GET', '/api/v1/nodes/node-1')) as NodeAnswer;
        const ready = status.conditions?.find(({ type }) => type === 'Ready');
        if (ready?.status !== 'True') throw new Error('the node is not ready');
      },
    };
  });
}

interface NodeAnswer {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Of service accounts' tokens. */
function signingKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}
