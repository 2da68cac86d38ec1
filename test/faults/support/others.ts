import { expect } from '@jest/globals';
import { instancePath, register } from '../../support/instances.js';
import type { Shown } from './reader.js';
import type { RunningServer } from './running-server.js';

/** Who writes through another server: what is changed there is to be seen everywhere. */
export class Others {
  /** By `SERVICE/ID`: the tag, or that it has gone. */
  private readonly written = new Map<string, string>();

  constructor(private readonly through: RunningServer) {}

  async write(): Promise<void> {
    await Promise.all([this.register('goes', 'first'), this.register('changes', 'first')]);
  }

  /** Adds, changes and removes. */
  async change(): Promise<void> {
    await this.register('comes', 'later');
    await this.register('changes', 'later');
    expect((await this.through.http.delete(instancePath('foreign', 'goes'))).status).toBe(204);
    this.written.set('foreign/goes', 'gone');
  }

  forget(): void {
    this.written.clear();
  }

  differences(shown: Shown): string[] {
    const wrong = [...this.written].filter(([key, tag]) => (shown.get(key)?.tags[0] ?? 'gone') !== tag);
    return wrong.map(([key, tag]) => `${key} is ${shown.get(key)?.tags[0]} and not ${tag}`);
  }

  private async register(id: string, tag: string): Promise<void> {
    await register(this.through.http, { service_name: 'foreign', id, tags: [tag], ttl: 300 });
    this.written.set(`foreign/${id}`, tag);
  }
}
