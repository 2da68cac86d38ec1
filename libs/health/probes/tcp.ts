import { once } from 'node:events';
import { connect } from 'node:net';
import { z } from 'zod';
import { authorityOf, type HealthProbe, type ProbeContext, type ProbeModule, type ProbeTarget } from '#core';
import { checkLiteral, parseEndpoint, refusalOf, type Endpoint } from './endpoint.js';
import { failure } from './failure.js';

const options = z.object({
  address: z
    .string()
    .refine((text) => parseEndpoint(text) !== undefined, 'must be host:port or [IPv6]:port')
    .optional()
    .describe("where to connect, host:port; the instance's own address and port by default"),
});

export const tcp: ProbeModule<typeof options> = {
  type: 'tcp',
  summary: 'Passes when a TCP connection is accepted.',
  options,
  refusal: (target, { guard }) => refusalOf(guard, askedOf(target)?.host ?? target.address),
  create: tcpProbe,
};

function tcpProbe({ guard }: ProbeContext): HealthProbe {
  return {
    async probe(target, signal) {
      const { host, port } = askedOf(target) ?? { host: target.address, port: target.port };
      const what = `TCP connect ${authorityOf(host, port)}`;
      try {
        checkLiteral(guard, host);
        const socket = connect({ host, port, lookup: guard.lookup, signal });
        await once(socket, 'connect').finally(() => socket.destroy());
        return { status: 'passing', output: `${what}: success` };
      } catch (error) {
        return failure(what, error, signal);
      }
    },
  };
}

/** What the check names; undefined: the instance itself. */
function askedOf({ options: given }: Pick<ProbeTarget, 'options'>): Endpoint | undefined {
  return parseEndpoint(options.parse(given).address ?? '');
}
