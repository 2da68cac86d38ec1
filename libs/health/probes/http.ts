import { z } from 'zod';
import { authorityOf, pathField, type HealthProbe, type ProbeContext, type ProbeModule, type ProbeTarget } from '#core';
import { hostIn, refusalOf } from './endpoint.js';
import { failure } from './failure.js';
import { judged } from './http-answer.js';
import { HttpClient } from './http-client.js';

const DEFAULT_PATH = '/health';

const options = z
  .object({
    url: z
      .string()
      .max(2_048)
      .refine(isProbeUrl, 'must be an http or https URL without credentials')
      .optional()
      .describe('what to GET'),
    http_path: pathField
      .overwrite((path) => (path.startsWith('/') ? path : `/${path}`))
      .optional()
      .describe(`what to GET of the instance's own address and port; ${DEFAULT_PATH} by default`),
  })
  .refine(({ url, http_path }) => url === undefined || http_path === undefined, {
    path: ['http_path'],
    message: 'give url or http_path, not both',
  });

export const http: ProbeModule<typeof options> = {
  type: 'http',
  summary: 'Passes when a GET is answered with 2xx; 429 and a JSON status of degraded are a warning.',
  options,
  refusal: (target, { guard }) => refusalOf(guard, hostOf(target)),
  create: httpProbe,
};

function isProbeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

function httpProbe({ guard }: ProbeContext): HealthProbe {
  const client = new HttpClient(guard);
  return {
    async probe(target, signal) {
      const url = urlOf(target);
      const what = `GET ${url.href}`;
      try {
        return judged(what, await client.get(url, signal));
      } catch (error) {
        return failure(what, error, signal);
      }
    },
    async close() {
      client.close();
    },
  };
}

function hostOf({ address, options: given }: Pick<ProbeTarget, 'address' | 'options'>): string {
  const { url } = options.parse(given);
  return url === undefined ? address : hostIn(new URL(url));
}

function urlOf(target: ProbeTarget): URL {
  const { url, http_path = DEFAULT_PATH } = options.parse(target.options);
  const scheme = target.protocol === 'https' ? 'https' : 'http';
  return new URL(url ?? `${scheme}://${authorityOf(target.address, target.port)}${http_path}`);
}
