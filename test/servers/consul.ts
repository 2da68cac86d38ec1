import { join } from 'node:path';
import { goPrograms } from './go-program.js';
import { getJson } from './http.js';
import type { ServerKind } from './kind.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';
import { until } from '../support/until.js';

/** How long servers may take to find each other. The machine may be busy. */
const CLUSTER_MS = 60_000;

const { consul: program } = goPrograms({
  name: 'consul',
  module: 'github.com/hashicorp/consul',
  programs: { consul: 'github.com/hashicorp/consul' },
  minutes: 5,
});

export interface AgentOptions {
  readonly name?: string;
  /** Absent: it is a cluster of its own. */
  readonly join?: ConsulAgent;
  /** An agent that is no server leaves its state to those that are. */
  readonly role?: 'server' | 'client';
  /** It has its state in memory alone. */
  readonly volatile?: boolean;
  /** Of its configuration, in HCL. */
  readonly configuration?: readonly string[];
  /** With which it may be asked whether it is ready. */
  readonly token?: string;
}

/** A Consul agent of our own, and where it is reached. */
export interface ConsulAgent {
  readonly name: string;
  readonly server: Server;
  /** Of its HTTP API. */
  readonly address: string;
  readonly port: number;
  readonly dnsPort: number;
  /** Where others join it. */
  readonly serfPort: number;
  /** As it is known by when it leads. */
  readonly rpcAddress: string;
}

/** The program, for its commands. */
export function consulProgram(): string {
  return executable(program);
}

export async function startAgent(options: AgentOptions = {}): Promise<ConsulAgent> {
  const { name = 'agent-1', join: cluster, role = 'server', volatile = false, configuration = [], token } = options;
  let ports!: { port: number; dnsPort: number; serfPort: number; rpcAddress: string };
  const server = await Server.start('consul', async (folder) => {
    const serverPort = await freePort();
    const rpcAddress = `127.0.0.1:${serverPort}`;
    ports = { port: await freePort(), dnsPort: await freePort(), serfPort: await freePort(), rpcAddress };
    const address = `http://127.0.0.1:${ports.port}`;
    return {
      program: consulProgram(),
      args: [
        'agent',
        ...(role === 'server' ? ['-server'] : []),
        ...(cluster ? [`-retry-join=127.0.0.1:${cluster.serfPort}`, '-retry-interval=1s'] : []),
        ...(volatile ? ['-dev'] : [`-data-dir=${join(folder, 'data')}`]),
        ...(cluster || volatile ? [] : ['-bootstrap-expect=1']),
        `-node=${name}`,
        '-bind=127.0.0.1',
        '-client=127.0.0.1',
        `-http-port=${ports.port}`,
        `-server-port=${serverPort}`,
        `-serf-lan-port=${ports.serfPort}`,
        '-serf-wan-port=-1',
        `-dns-port=${ports.dnsPort}`,
        '-grpc-port=-1',
        '-grpc-tls-port=-1',
        // The least time until a leader is elected.
        '-hcl=performance { raft_multiplier = 1 }',
        '-hcl=disable_update_check = true',
        ...configuration.map((hcl) => `-hcl=${hcl}`),
      ],
      address,
      ready: () => isListed(address, name, token),
    };
  });
  return { name, server, address: server.address, ...ports };
}

/** Servers that vote; the first of them leads. */
export async function startCluster(size: number): Promise<readonly ConsulAgent[]> {
  // New servers may vote after this time.
  const configuration = ['autopilot { server_stabilization_time = "500ms" }'];
  const first = await startAgent({ configuration });
  const names = Array.from({ length: size - 1 }, (_, i) => `agent-${i + 2}`);
  const others = await Promise.all(names.map((name) => startAgent({ name, join: first, configuration })));
  await until(async () => {
    const { Servers } = (await getJson(`${first.address}/v1/operator/raft/configuration`)) as RaftConfiguration;
    return Servers.filter(({ Voter }) => Voter).length === size;
  }, CLUSTER_MS);
  return [first, ...others];
}

interface RaftConfiguration {
  readonly Servers: readonly { readonly Voter: boolean }[];
}

/** An agent's own node is the first thing that it puts into the catalog, or that a leader writes. */
async function isListed(address: string, name: string, token: string | undefined): Promise<void> {
  const answer = await fetch(`${address}/v1/catalog/nodes`, {
    headers: token === undefined ? {} : { 'X-Consul-Token': token },
    signal: AbortSignal.timeout(1_000),
  });
  const nodes = (await answer.json()) as readonly { Node: string }[];
  if (!nodes.some(({ Node }) => Node === name)) throw new Error(`${name} is not in the catalog yet`);
}

export const consul = {
  name: 'consul',
  variable: 'TEST_CONSUL_URL',
  programs: [program],
  start: async () => (await startAgent()).server,
} satisfies ServerKind;
