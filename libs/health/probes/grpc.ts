import { z } from 'zod';
import { authorityOf, type HealthProbe, type ProbeContext, type ProbeModule, type ProbeTarget } from '#core';
import { parseEndpoint, refusalOf, type Endpoint } from './endpoint.js';
import { failure } from './failure.js';
import { callGrpc } from './grpc-call.js';
import { decodeResponse, encodeRequest } from './grpc-wire.js';

const METHOD = '/grpc.health.v1.Health/Check';

const options = z.object({
  grpc: z
    .string()
    .max(1_024)
    .refine((text) => parseGrpc(text) !== undefined, 'must be host:port or host:port/service')
    .optional()
    .describe("what to ask, host:port/service; the instance's own address and port, and the whole server, by default"),
  grpc_use_tls: z.boolean().optional().describe('whether to speak TLS; false by default'),
});

export const grpc: ProbeModule<typeof options> = {
  type: 'grpc',
  summary: 'Passes when the standard health service (grpc.health.v1) says SERVING.',
  options,
  refusal: (target, { guard }) => refusalOf(guard, askedOf(target)?.host ?? target.address),
  create: grpcProbe,
};

interface GrpcTarget extends Endpoint {
  /** Empty: the server as a whole. */
  readonly service: string;
}

function parseGrpc(text: string): GrpcTarget | undefined {
  const slash = text.indexOf('/');
  const endpoint = parseEndpoint(slash < 0 ? text : text.slice(0, slash));
  return endpoint && { ...endpoint, service: slash < 0 ? '' : text.slice(slash + 1) };
}

function grpcProbe({ guard }: ProbeContext): HealthProbe {
  return {
    async probe(target, signal) {
      const { host, port, service, tls } = targetOf(target);
      const what = `gRPC check ${authorityOf(host, port)}${service && `/${service}`}`;
      try {
        const call = { host, port, tls, path: METHOD, frame: encodeRequest(service) };
        const status = decodeResponse(await callGrpc(call, guard, signal));
        return { status: status === 'SERVING' ? 'passing' : 'critical', output: `${what}: ${status}` };
      } catch (error) {
        return failure(what, error, signal);
      }
    },
  };
}

/** What the check names; undefined: the instance itself. */
function askedOf({ options: given }: Pick<ProbeTarget, 'options'>): GrpcTarget | undefined {
  return parseGrpc(options.parse(given).grpc ?? '');
}

function targetOf(target: ProbeTarget): GrpcTarget & { readonly tls: boolean } {
  const { grpc_use_tls: tls = false } = options.parse(target.options);
  return { ...(askedOf(target) ?? { host: target.address, port: target.port, service: '' }), tls };
}
