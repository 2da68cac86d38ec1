import { CommandError } from '../errors.js';
import { ConfigFile, type Profile } from './config-file.js';

const LOCAL = 'http://localhost:8090';

export interface ConnectionOptions {
  readonly server?: readonly string[];
  readonly profile?: string;
}

/**
 * Which servers to ask, and who one is there. The profile that is named counts; else SERVICE_DISCOVERY_URL; else the
 * file's usual profile; else a server on this machine. `--server` replaces the servers alone.
 * @throws CommandError
 */
export function connectionOf(options: ConnectionOptions, environment: NodeJS.ProcessEnv): Profile {
  const chosen = profileOf(options, environment);
  const servers = (options.server ?? chosen.servers).flatMap(listed);
  for (const url of servers) {
    if (!URL.canParse(url) || !/^https?:/.test(url))
      throw new CommandError(`${url} is no URL of a server`, `It looks like ${LOCAL}.`);
  }
  return { servers, token: chosen.token ?? (environment.SERVICE_DISCOVERY_TOKEN || undefined) };
}

function profileOf(options: ConnectionOptions, environment: NodeJS.ProcessEnv): Profile {
  const named = options.profile ?? (environment.SDCTL_PROFILE || undefined);
  if (named !== undefined) return ConfigFile.read(environment).profile(named);
  if (environment.SERVICE_DISCOVERY_URL) return { servers: [environment.SERVICE_DISCOVERY_URL] };
  const file = ConfigFile.read(environment);
  return file.usual === undefined ? { servers: [LOCAL] } : file.profile(file.usual);
}

function listed(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}
