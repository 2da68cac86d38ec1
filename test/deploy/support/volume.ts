import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.js';

export type Contents = Readonly<Record<string, string | Buffer>>;

/** A Secret or ConfigMap as a kubelet lays it into a pod: what a file says is changed for all of them at once, by one link. */
export class Volume {
  private generation = 0;

  private constructor(readonly folder: string) {}

  static async of(contents: Contents): Promise<Volume> {
    const volume = new Volume(await temporaryFolder());
    await volume.write(contents);
    for (const name of Object.keys(contents)) await symlink(join('..data', name), join(volume.folder, name));
    return volume;
  }

  async write(contents: Contents): Promise<void> {
    const [old, fresh] = [`..${this.generation}`, `..${++this.generation}`];
    await mkdir(join(this.folder, fresh));
    for (const [name, content] of Object.entries(contents)) await writeFile(join(this.folder, fresh, name), content);
    await symlink(fresh, join(this.folder, '..data_tmp'));
    await rename(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    await rm(join(this.folder, old), { recursive: true, force: true });
  }
}
