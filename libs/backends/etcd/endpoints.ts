/** A member of the cluster. */
export interface Endpoint {
  /** `host:port`. */
  readonly authority: string;
  readonly secure: boolean;
}

const DEFAULT_PORT = '2379';

/** Undefined when the text does not name at least one, or they are not all secure or all not. */
export function endpointsIn(text: string): readonly Endpoint[] | undefined {
  const endpoints = text.split(',').map((part) => endpoint(part.trim()));
  const known = endpoints.filter((each) => each !== undefined);
  const alike = new Set(known.map(({ secure }) => secure)).size === 1;
  return known.length === endpoints.length && alike ? known : undefined;
}

function endpoint(text: string): Endpoint | undefined {
  const written = /^[a-z]+:\/\//.test(text) ? text : `http://${text}`;
  if (!URL.canParse(written)) return undefined;
  const url = new URL(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.hostname === '')
    return undefined;
  // URL drops the port that its scheme implies; written or not, that is not etcd's.
  const port = /:(\d+)\/?$/.exec(text)?.[1] ?? DEFAULT_PORT;
  return { authority: `${url.hostname}:${port}`, secure: url.protocol === 'https:' };
}
