/** Where Redis is, as `REDIS_URL` says it. */
export interface Address {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Of Redis itself, of its sentinels, or of some nodes of its cluster. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly credentials?: Credentials;
  /** The name by which sentinels know the master. */
  readonly master?: string;
  readonly database: number;
}

/** Left out wherever an address is written down: in logs, in what tells one registry from another. */
export class Credentials {
  constructor(
    readonly password: string,
    readonly user?: string,
  ) {}

  toJSON(): undefined {
    return undefined;
  }
}

export const ADDRESS_FORM =
  'must be redis://[user:password@]host[:port][/database], redis+sentinel://…@host:port,host:port/master[/database] ' +
  'or redis+cluster://…@host:port,host:port; rediss… for TLS';

const URL_FORM =
  /^redis(?<tls>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]+)@)?(?<nodes>[^@/]+)(?:\/(?<path>[^?#]*))?$/;
const NODE_FORM = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[\w.-]+))(?::(?<port>\d{1,5}))?$/i;
/** Sentinel's has no database in front; nobody else has a master. */
const PATH_FORMS = {
  single: /^(?<database>\d{0,4})$/,
  cluster: /^$/,
  sentinel: /^(?<master>[^/]+)(?:\/(?<database>\d{0,4}))?$/,
};
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 };

/** @returns undefined for what is no such address. */
export function parseAddress(text: string): Address | undefined {
  const parts = URL_FORM.exec(text)?.groups;
  if (!parts) return undefined;
  const kind = (parts.kind ?? 'single') as Address['kind'];
  const path = PATH_FORMS[kind].exec(parts.path ?? '');
  const nodes = parts.nodes!.split(',').map((node) => parseNode(node, DEFAULT_PORTS[kind]));
  const known = nodes.filter((node) => node !== undefined);
  if (!path || known.length < nodes.length || (kind === 'single' && nodes.length > 1)) return undefined;
  const { master, database } = path.groups ?? {};
  try {
    return {
      kind,
      nodes: known,
      tls: parts.tls === 's',
      ...(parts.password && {
        credentials: new Credentials(
          decodeURIComponent(parts.password),
          parts.user ? decodeURIComponent(parts.user) : undefined,
        ),
      }),
      ...(master && { master: decodeURIComponent(master) }),
      database: Number(database ?? 0),
    };
  } catch {
    return undefined;
  }
}

function parseNode(text: string, defaultPort: number): Address['nodes'][number] | undefined {
  const { v6, host = v6, port } = NODE_FORM.exec(text)?.groups ?? {};
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}

/** For people, without credentials. */
export function describeAddress({ kind, nodes, master }: Address): string {
  const list = nodes.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(', ');
  if (kind === 'sentinel') return `Redis ${master} by the sentinels at ${list}`;
  return kind === 'cluster' ? `the Redis cluster at ${list}` : `Redis at ${list}`;
}
