import { InterceptingCall, type ClientDuplexStream, type Interceptor } from '@grpc/grpc-js';
import { noop } from 'cockatiel';
import {
  Etcd3,
  type IKeyValue,
  type ITxnRequest,
  type ITxnResponse,
  type IWatchRequest,
  type IWatchResponse,
} from 'etcd3';
import { Places, type Version } from '#core';
import type { Endpoint } from './endpoints.js';
import { backendError, isOldToken, oldTokenNamed } from './errors.js';
import { KeepAlives } from './keep-alives.js';
import type { LeaseId } from './layout.js';
import { WatchStream } from './watch-stream.js';

/** No request is waited for longer. */
const DEADLINE_MS = 3_000;
/** At once: the deadline of one is etcd's to meet, not that of a queue in front of it. */
const GRANTS = 128;
const PAGE = 1_000;

export interface Access {
  readonly user?: { readonly name: string; readonly password: string };
  /** In PEM; of secure endpoints only. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** Which cluster it is, and how far it has come. */
export interface Position {
  readonly cluster: string;
  readonly revision: Version;
}

export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/**
 * The connection to one member. Requests have a deadline, are never repeated, and reject with BackendErrors.
 * Whoever has opened it closes it.
 */
export class Client {
  readonly name: string;
  private readonly etcd: Etcd3;
  private readonly keepAlives: KeepAlives;
  private readonly grants = new Places(GRANTS);
  private readonly watches = new Set<WatchStream>();
  private token: string | undefined;
  private authenticating: Promise<void> | undefined;

  constructor(
    { authority, secure }: Endpoint,
    private readonly access: Access,
  ) {
    const { ca, cert, key } = access.tls;
    this.name = `${secure ? 'https' : 'http'}://${authority}`;
    this.etcd = new Etcd3({
      hosts: this.name,
      // Without an authority of their own, Node's count; the type does not say so.
      ...(secure && { credentials: { rootCertificate: ca as Buffer, privateKey: key, certChain: cert } }),
      faultHandling: { global: noop, host: () => noop },
      defaultCallOptions: ({ isStream, method }) => ({
        ...(!isStream && { deadline: Date.now() + DEADLINE_MS }),
        ...(method !== 'authenticate' && { interceptors: [this.metadata] }),
      }),
      grpcOptions: {
        // A client that pings every 5 s or oftener is a nuisance to etcd.
        'grpc.keepalive_time_ms': 6_000,
        'grpc.keepalive_timeout_ms': 2_000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc.max_receive_message_length': -1,
      },
    });
    this.keepAlives = new KeepAlives(() => this.etcd.leaseClient.leaseKeepAlive());
  }

  /** Resolves when a majority of the members is there. */
  async position(key: Buffer): Promise<Position> {
    const { header } = await this.read(() => this.etcd.kv.range({ key }));
    return { cluster: header.cluster_id, revision: header.revision };
  }

  async get(key: Buffer): Promise<IKeyValue | undefined> {
    const { kvs } = await this.read(() => this.etcd.kv.range({ key }));
    return kvs[0];
  }

  /** All of a range as of one revision. */
  async list({ key, range_end }: KeyRange, signal?: AbortSignal): Promise<Position & { readonly kvs: IKeyValue[] }> {
    const first = await this.read(() => this.etcd.kv.range({ key, range_end, limit: PAGE }));
    const { cluster_id: cluster, revision } = first.header;
    const kvs = first.kvs;
    for (let { more } = first; more;) {
      signal?.throwIfAborted();
      const after = Buffer.concat([kvs.at(-1)!.key, Buffer.of(0)]);
      const page = { key: after, range_end, limit: PAGE, revision, serializable: true };
      const next = await this.read(() => this.etcd.kv.range(page));
      for (const kv of next.kvs) kvs.push(kv);
      ({ more } = next);
    }
    return { cluster, revision, kvs };
  }

  transact(request: ITxnRequest): Promise<ITxnResponse> {
    return this.write(() => this.etcd.kv.txn(request));
  }

  /**
   * Resolves when the user may write this key. etcd asks that of a transaction's both branches, and this one
   * writes in the branch that never comes.
   */
  async checkWritable(key: Buffer): Promise<void> {
    const impossible = { key, target: 'Create', result: 'Less', create_revision: '0' } as const;
    await this.write(() => this.etcd.kv.txn({ compare: [impossible], success: [{ request_put: { key } }] }));
  }

  /** A watch from this revision on. It ends with the client. */
  async watch(range: KeyRange, from: Version): Promise<WatchStream> {
    const stream = await this.read(() => this.etcd.watchClient.watch());
    const watch = new WatchStream(stream as ClientDuplexStream<IWatchRequest, IWatchResponse>, {
      ...range,
      start_revision: from,
    });
    this.watches.add(watch);
    return watch;
  }

  /** etcd counts in whole seconds, and has a minimum of its own. */
  async grant(ttlMs: number): Promise<{ readonly lease: LeaseId; readonly ttlMs: number }> {
    const seconds = Math.ceil(ttlMs / 1_000);
    const grant = () => this.write(() => this.etcd.leaseClient.leaseGrant({ TTL: seconds }));
    const { ID, TTL } = await this.grants.take(grant);
    return { lease: ID, ttlMs: Number(TTL) * 1_000 };
  }

  /** Its new TTL in milliseconds, or undefined when there is no such lease. */
  async keepAlive(lease: LeaseId): Promise<number | undefined> {
    const seconds = await this.write(() => this.keepAlives.renew(lease));
    return seconds > 0 ? seconds * 1_000 : undefined;
  }

  /** Milliseconds, to the second below; undefined when it ended more than a second ago. */
  async remaining(lease: LeaseId): Promise<number | undefined> {
    const { TTL } = await this.read(() => this.etcd.leaseClient.leaseTimeToLive({ ID: lease }));
    return TTL.startsWith('-') ? undefined : Number(TTL) * 1_000;
  }

  async revoke(lease: LeaseId): Promise<void> {
    await this.write(() => this.etcd.leaseClient.leaseRevoke({ ID: lease }));
  }

  close(error: Error = new Error('the connection was closed')): void {
    for (const watch of this.watches) watch.cancel(error);
    this.keepAlives.close();
    this.etcd.close();
  }

  private read<T>(request: () => Promise<T>): Promise<T> {
    return this.ask(request, false);
  }

  private write<T>(request: () => Promise<T>): Promise<T> {
    return this.ask(request, true);
  }

  private async ask<T>(request: () => Promise<T>, write: boolean): Promise<T> {
    try {
      return await this.authenticated(request);
    } catch (error) {
      throw backendError(error, this.name, write);
    }
  }

  private async authenticated<T>(request: () => Promise<T>): Promise<T> {
    const { user } = this.access;
    if (!user) return request();
    if (this.token === undefined) await this.authenticate(user);
    const { token } = this;
    try {
      return await request();
    } catch (error) {
      if (!isOldToken(error)) throw error;
      if (this.token === token) await this.authenticate(user);
      return request();
    }
  }

  /** Those who come together share one attempt: etcd takes its time for a password. */
  private authenticate(user: { name: string; password: string }): Promise<void> {
    return (this.authenticating ??= this.etcd.auth
      .authenticate(user)
      .then(({ token }) => void (this.token = token))
      .finally(() => (this.authenticating = undefined)));
  }

  /** A member that has no leader must say so instead of answering, or of keeping a watch in silence. */
  private readonly metadata: Interceptor = (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (given, _listener, next) => {
        const metadata = given.clone();
        metadata.set('hasleader', 'true');
        if (this.token !== undefined) metadata.set('token', this.token);
        next(metadata, { onReceiveStatus: (status, tell) => tell(oldTokenNamed(status)) });
      },
    });
}
