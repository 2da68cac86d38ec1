import { sendJson } from '../../servers/http.js';

/** A key as its tools show it. */
export interface Shown {
  readonly value: string;
  /** `0`: none. */
  readonly lease: string;
}

/** What etcd's own tools would do, over its HTTP gateway. */
export class Etcdctl {
  private token: string | undefined;

  constructor(private readonly address: string) {}

  async put(key: string, value: string, lease = '0'): Promise<void> {
    await this.ask('kv/put', { key: base64(key), value: base64(value), lease });
  }

  async get(key: string): Promise<Shown | undefined> {
    const { kvs = [] } = await this.ask<{ kvs?: { value: string; lease?: string }[] }>('kv/range', {
      key: base64(key),
    });
    const [kv] = kvs;
    return kv && { value: Buffer.from(kv.value, 'base64').toString(), lease: kv.lease ?? '0' };
  }

  async delete(key: string): Promise<void> {
    await this.ask('kv/deleterange', { key: base64(key) });
  }

  /** Whatever begins like that. */
  async deleteAll(prefix: string): Promise<void> {
    await this.ask('kv/deleterange', { key: base64(prefix), range_end: endOf(prefix) });
  }

  async revoke(lease: string): Promise<void> {
    await this.ask('lease/revoke', { ID: lease });
  }

  /** All history up to now. */
  async compact(): Promise<void> {
    const { header } = await this.ask<{ header: { revision: string } }>('kv/range', { key: base64('x') });
    await this.ask('kv/compaction', { revision: header.revision, physical: true });
  }

  async addUser(name: string, password: string, roles: readonly string[]): Promise<void> {
    await this.ask('auth/user/add', { name, password });
    for (const role of roles) await this.ask('auth/user/grant', { user: name, role });
  }

  /** Whatever token the user has is none any more. */
  async changePassword(name: string, password: string): Promise<void> {
    await this.ask('auth/user/changepw', { name, password });
  }

  async addRole(name: string, permType: 'READ' | 'READWRITE', prefix: string): Promise<void> {
    await this.ask('auth/role/add', { name });
    await this.ask('auth/role/grant', { name, perm: { permType, key: base64(prefix), range_end: endOf(prefix) } });
  }

  /** From now on there are users, and this one is asked for everything here. */
  async enableAuthentication(root: { readonly name: string; readonly password: string }): Promise<void> {
    await this.ask('auth/enable', {});
    await this.authenticate(root);
  }

  async authenticate(user: { readonly name: string; readonly password: string }): Promise<void> {
    ({ token: this.token } = await this.ask<{ token: string }>('auth/authenticate', user));
  }

  private async ask<T>(path: string, body: object): Promise<T> {
    const headers = this.token === undefined ? undefined : { authorization: this.token };
    return (await sendJson(`${this.address}/v3/${path}`, 'POST', body, headers)) as T;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function endOf(prefix: string): string {
  const end = Buffer.from(prefix);
  end[end.length - 1]!++;
  return end.toString('base64');
}
