import { z } from 'zod';
import { pemFile } from '../shared/pem.js';
import { endpointsIn, type Endpoint } from './endpoints.js';

const HOSTS =
  'must be members of one cluster, host:port or http(s)://host:port, parted by commas, all http or all https';
/** CA, certificate and key, in this order. */
export const TLS = ['ETCD_TLS_CA', 'ETCD_TLS_CERT', 'ETCD_TLS_KEY'] as const;

export const options = z
  .object({
    ETCD_HOSTS: z
      .string()
      .transform((text, context): readonly Endpoint[] => {
        const endpoints = endpointsIn(text);
        if (endpoints) return endpoints;
        context.addIssue(HOSTS);
        return z.NEVER;
      })
      .prefault('http://127.0.0.1:2379')
      .meta({ description: 'members of the cluster, http(s)://host:port, parted by commas' }),
    ETCD_USER: z.string().optional().meta({ description: 'user to authenticate as' }),
    ETCD_PASSWORD: z.string().optional().meta({ description: 'its password', secret: true }),
    ETCD_TLS_CA: pemFile('who may have signed the certificates of the members; otherwise the authorities of Node'),
    ETCD_TLS_CERT: pemFile('certificate to show to the members'),
    ETCD_TLS_KEY: pemFile('its key'),
    REGISTRY_PREFIX: z
      .string()
      .regex(/^\/(\S*[^/\s])?\/?$/, 'must be a path that begins with /')
      .transform((text) => (text.endsWith('/') ? text : `${text}/`))
      .prefault('/services/')
      .meta({ description: 'what the names of all our keys begin with' }),
  })
  .superRefine((all, context) => {
    const issue = (name: keyof typeof all, message: string) =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (all.ETCD_USER !== undefined && all.ETCD_PASSWORD === undefined) issue('ETCD_PASSWORD', 'goes with ETCD_USER');
    if (all.ETCD_PASSWORD !== undefined && all.ETCD_USER === undefined) issue('ETCD_USER', 'goes with ETCD_PASSWORD');
    if (all.ETCD_TLS_CERT !== undefined && all.ETCD_TLS_KEY === undefined)
      issue('ETCD_TLS_KEY', 'goes with ETCD_TLS_CERT');
    if (all.ETCD_TLS_KEY !== undefined && all.ETCD_TLS_CERT === undefined)
      issue('ETCD_TLS_CERT', 'goes with ETCD_TLS_KEY');
    for (const name of TLS) {
      if (all[name] !== undefined && all.ETCD_HOSTS.some(({ secure }) => !secure))
        issue(name, 'is of no use while ETCD_HOSTS does not say https://');
    }
  });
