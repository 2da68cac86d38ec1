import { createHash, randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface KeyOptions {
  readonly role?: string;
  readonly expires?: string;
}

/** A file of API keys in a folder of the test's own, and the keys that are in it by their hashes. */
export class KeyFile {
  private readonly entries = new Map<string, KeyOptions & { readonly name: string }>();

  private constructor(readonly path: string) {}

  /** @param keys By name. */
  static async in(folder: string, keys: Readonly<Record<string, KeyOptions>>): Promise<KeyFile> {
    const file = new KeyFile(join(folder, 'keys.json'));
    for (const [name, options] of Object.entries(keys)) file.add(name, options);
    await file.write();
    return file;
  }

  get environment(): Readonly<Record<string, string>> {
    return { API_KEY_ENABLED: 'true', API_KEY_FILE: this.path };
  }

  /** The first key of this name. */
  of(name: string): string {
    return [...this.entries].find(([, entry]) => entry.name === name)![0];
  }

  /** Not before it is written. */
  add(name: string, options: KeyOptions): string {
    const key = randomBytes(32).toString('base64url');
    this.entries.set(key, { name, ...options });
    return key;
  }

  remove(key: string): void {
    this.entries.delete(key);
  }

  /** At once, as an operator would do it. */
  async write(): Promise<void> {
    const keys = [...this.entries].map(([key, entry]) => ({ ...entry, sha256: sha256(key) }));
    await writeFile(`${this.path}.new`, JSON.stringify({ keys }));
    await rename(`${this.path}.new`, this.path);
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
