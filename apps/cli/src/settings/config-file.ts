import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { CommandError } from '../errors.js';

/** Servers, and who one is there. */
export interface Profile {
  readonly servers: readonly string[];
  readonly token?: string;
}

const MEMBERS = ['servers', 'token', 'token_file'];

/** `config.yaml`: profiles by name, and which one counts when none is named. */
export class ConfigFile {
  private constructor(
    private readonly path: string,
    private readonly content: { readonly profile?: unknown; readonly profiles?: unknown },
  ) {}

  /** @throws CommandError that names the file and what is wrong with it. */
  static read({ XDG_CONFIG_HOME, HOME }: NodeJS.ProcessEnv): ConfigFile {
    const path = join(XDG_CONFIG_HOME || join(HOME ?? homedir(), '.config'), 'sdctl', 'config.yaml');
    let content: unknown;
    try {
      content = parse(readFileSync(path, 'utf8')) ?? {};
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new ConfigFile(path, {});
      throw new CommandError(`${path}: ${(error as Error).message}`);
    }
    if (!isRecord(content)) throw new CommandError(`${path}: must be a mapping with profile and profiles`);
    return new ConfigFile(path, content);
  }

  /** The name of the profile that counts when none is named. */
  get usual(): string | undefined {
    const { profile } = this.content;
    return typeof profile === 'string' ? profile : undefined;
  }

  /** @throws CommandError */
  profile(name: string): Profile {
    const all = isRecord(this.content.profiles) ? this.content.profiles : {};
    const profile = Object.hasOwn(all, name) ? all[name] : undefined;
    if (!isRecord(profile)) {
      const known = Object.keys(all);
      throw new CommandError(
        `there is no profile ${name} in ${this.path}`,
        known.length === 0 ? 'It has none; docs/sdctl.md shows how one looks.' : `Known are ${known.join(', ')}.`,
      );
    }
    const unknown = Object.keys(profile).find((each) => !MEMBERS.includes(each));
    if (unknown !== undefined) this.fail(name, `${unknown} is not known; known are ${MEMBERS.join(', ')}`);
    const { servers, token, token_file: file } = profile;
    const urls = typeof servers === 'string' ? [servers] : servers;
    if (!isTexts(urls) || urls.length === 0) this.fail(name, 'servers must be one URL or a list of them');
    return { servers: urls, token: this.token(name, token, file) };
  }

  private token(name: string, token: unknown, file: unknown): string | undefined {
    if (file !== undefined) {
      if (token !== undefined || typeof file !== 'string') this.fail(name, 'has token or token_file, a text');
      const path = resolve(this.path, '..', file.replace(/^~(?=\/)/, homedir()));
      try {
        return readFileSync(path, 'utf8').trim();
      } catch (error) {
        return this.fail(name, `token_file: ${(error as Error).message}`);
      }
    }
    if (token === undefined) return undefined;
    if (typeof token !== 'string') this.fail(name, 'token must be a text');
    if ((statSync(this.path).mode & 0o077) !== 0)
      console.error(`sdctl: ${this.path} holds a token and others may read it: chmod 600 it`);
    return token;
  }

  private fail(name: string, what: string): never {
    throw new CommandError(`${this.path}: profiles.${name}: ${what}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
