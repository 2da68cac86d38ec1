import { DiscoveryClient, Transport, type ClientOptions } from '#client';
import { Api } from './api/api.js';
import type { Format } from './output/formats.js';
import { Printer } from './output/printer.js';
import type { Profile } from './settings/config-file.js';
import { connectionOf, type ConnectionOptions } from './settings/connection.js';

/** What a command works with. */
export interface Context {
  readonly connection: Profile;
  /** How servers are asked. */
  readonly options: Pick<ClientOptions, 'timeoutMs' | 'headers'>;
  readonly api: Api;
  readonly print: Printer;
  /** A client that stays, for who registers. Whoever takes it closes it. */
  readonly client: (options: Partial<ClientOptions>) => DiscoveryClient;
}

export interface GlobalOptions extends ConnectionOptions {
  readonly output: Format;
  readonly timeout: number;
}

export function createContext(options: GlobalOptions): Context {
  const connection = connectionOf(options, process.env);
  const { servers } = connection;
  const asking = { timeoutMs: options.timeout, headers: () => identity(connection) };
  return {
    connection,
    options: asking,
    api: new Api(new Transport({ servers, ...asking })),
    print: new Printer(options.output),
    client: (more) => new DiscoveryClient({ servers, ...asking, ...more }),
  };
}

/** An API key, a JSON web token or a shared secret: servers take each of them so. */
export function identity({ token }: { readonly token?: string }): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
