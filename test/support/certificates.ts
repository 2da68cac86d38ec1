import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own in a folder of the test's own. Paths of PEM files. */
export class Authority {
  private constructor(
    private readonly folder: string,
    readonly name: string,
  ) {}

  static async in(folder: string, name = 'ca'): Promise<Authority> {
    const authority = new Authority(folder, name);
    const { cert, key } = authority.pair(name);
    await run('openssl', [...NEW_KEY, '-x509', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert]);
    return authority;
  }

  get cert(): string {
    return this.own.cert;
  }

  /** What it signs with, signed by itself. */
  get own(): KeyPair {
    return this.pair(this.name);
  }

  /** Good for servers and for clients. @param altNames As OpenSSL writes them. */
  async sign(name: string, altNames = 'IP:127.0.0.1', days = 2): Promise<KeyPair> {
    const { cert, key } = this.pair(name);
    const [request, extensions] = [join(this.folder, `${name}.csr`), join(this.folder, `${name}.ext`)];
    await writeFile(extensions, `subjectAltName=${altNames}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    await run('openssl', [...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request]);
    const authority = this.own;
    const signing = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-extfile', extensions];
    await run('openssl', ['x509', '-req', '-days', String(days), '-in', request, ...signing, '-out', cert]);
    return { cert, key };
  }

  private pair(name: string): KeyPair {
    return { cert: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`) };
  }
}
