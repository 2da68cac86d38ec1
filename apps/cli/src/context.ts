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
  /** Shared by all that is asked: what one request finds away, the next does not ask. */
  readonly transport: Transport;
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
  const transport = new Transport({ servers, ...asking });
  return {
    connection,
    options: asking,
    transport,
    api: new Api(transport),
    print: new Printer(options.output),
    client: (more) => new DiscoveryClient({ servers, ...asking, ...more }),
  };
}

/** An API key, a JSON web token or a shared secret: servers take each of them so. */
export function identity({ token }: { readonly token?: string }): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
