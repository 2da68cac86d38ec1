import type { IDuplexStream, ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from 'etcd3';
import type { LeaseId } from './layout.js';

type Stream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

/** A member that is not the leader sends one after the other of a stream on, and waits for each. */
const STREAMS = 4;
const ANSWER_MS = 3_000;
const LOOK_MS = 500;

/** Renews leases on a few streams that stay open: 30 times as many a second as with a request each. */
export class KeepAlives {
  private readonly lanes: readonly Lane[];
  private readonly timer: NodeJS.Timeout;
  private turn = 0;

  constructor(open: () => Promise<Stream>) {
    this.lanes = Array.from({ length: STREAMS }, () => new Lane(open));
    this.timer = setInterval(() => this.lanes.forEach((lane) => lane.look()), LOOK_MS).unref();
  }

  /** Its new TTL in seconds; 0 when there is no such lease. */
  renew(lease: LeaseId): Promise<number> {
    return this.lanes[this.turn++ % STREAMS]!.renew(lease);
  }

  close(): void {
    clearInterval(this.timer);
    for (const lane of this.lanes) lane.fail(new Error('the connection was closed'));
  }
}

interface Waiting {
  readonly lease: LeaseId;
  readonly since: number;
  readonly resolve: (ttl: number) => void;
  readonly reject: (error: unknown) => void;
}

/** One stream, opened when it is needed. etcd answers in the order of asking. */
class Lane {
  private waiting: Waiting[] = [];
  private stream: Stream | undefined;
  private opening = false;

  constructor(private readonly open: () => Promise<Stream>) {}

  renew(lease: LeaseId): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ lease, since: performance.now(), resolve, reject });
      if (this.stream) this.stream.write({ ID: lease });
      else if (!this.opening) void this.begin();
    });
  }

  /** One answer that does not come holds up all behind it. */
  look(): void {
    const [first] = this.waiting;
    if (first && performance.now() - first.since > ANSWER_MS) this.fail(new Error(`no answer within ${ANSWER_MS} ms`));
  }

  /** Those who wait hear of it, and the next to come opens another stream. */
  fail(error: Error): void {
    const { stream, waiting } = this;
    this.stream = undefined;
    this.waiting = [];
    stream?.cancel();
    for (const { reject } of waiting) reject(error);
  }

  private async begin(): Promise<void> {
    this.opening = true;
    try {
      const stream = await this.open();
      const failed = (error: Error) => {
        if (this.stream === stream) this.fail(error);
      };
      stream.on('data', ({ TTL }) => {
        if (this.stream === stream) this.waiting.shift()?.resolve(Number(TTL));
      });
      stream.on('error', failed);
      stream.on('end', () => failed(new Error('etcd has ended the stream')));
      this.stream = stream;
      for (const { lease } of this.waiting) stream.write({ ID: lease });
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.opening = false;
    }
  }
}
