import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { register } from '../../support/instances.js';
import { temporaryFolder, type Environment } from '../../support/process.js';
import { Proxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import type { Fault } from './fault.js';
import { Fleet } from './fleet.js';
import { FIXED, SILENT, violationsOf, type Times } from './judge.js';
import { Others } from './others.js';
import { readAll, Reader, type Read } from './reader.js';
import type { Cell } from './results.js';
import { RunningServer } from './running-server.js';
import type { Subject } from './subject.js';
import { Writer } from './writer.js';
import { Writes } from './writes.js';

/** Upper bounds for a busy machine; what it took is what counts, and is recorded. */
const SOON_MS = 60_000;
/** How long all is well before the fault. */
const WARM_MS = 2_000;
/** Seconds; the smallest there is. */
const SILENT_TTL = 5;

/** One server on a way to its registry that can be taken from it, those who use it, and another server beside it. */
export class Trial {
  readonly reader = new Reader(() => this.server.http);
  readonly writes = new Writes(() => this.server.http);
  readonly others: Others;
  private readonly writer: Writer;
  private readonly fleet: Fleet;
  /** The registry has lost everything. */
  private emptied = false;

  private constructor(
    private readonly fault: Fault,
    readonly subject: Subject,
    readonly way: Proxy,
    readonly dataDir: string,
    readonly server: RunningServer,
    /** The server itself, where there cannot be two. */
    readonly witness: RunningServer,
  ) {
    this.others = new Others(witness);
    this.fleet = new Fleet(this.writes, fault.ttl ?? 15);
    this.writer = new Writer(this.writes, fault.loses !== undefined);
  }

  /** @throws what was wrong */
  static async run(subject: Subject, fault: Fault): Promise<Cell> {
    const way = await Proxy.to(subject.port);
    const DATA_DIR = await temporaryFolder();
    const name = `faults-${randomUUID().slice(0, 8)}`;
    const reaching = async (port: number) => ({ ...(await subject.environment(port, name)), ...settingsOf(fault) });
    const server = new RunningServer({ ...(await reaching(way.port)), DATA_DIR, ...fault.environment });
    const witness = subject.alone ? server : new RunningServer(await reaching(subject.port));
    const trial = new Trial(fault, subject, way, DATA_DIR, server, witness);
    try {
      await trial.startServers();
      return await trial.run();
    } finally {
      await trial.close();
    }
  }

  /** Resolves when they serve. */
  async startServers(): Promise<void> {
    await Promise.all(this.servers().map((server) => server.start()));
  }

  async killServers(): Promise<void> {
    await this.reader.stop();
    await Promise.all(this.servers().map((server) => server.kill()));
  }

  private async run(): Promise<Cell> {
    const { fault, reader, writes, fleet, writer } = this;
    await this.prepare();
    const begun = performance.now();
    await fault.begin(this);
    this.forget();
    const before = writes.counts.done;
    await Promise.all([sleep(fault.ms), fault.meanwhile?.(this)]);
    const writtenMeanwhile = writes.counts.done - before;
    const ending = performance.now();
    await fault.end(this);
    const ended = performance.now();
    const converged = await this.converged();
    if (fault.down) reader.start();
    await this.gone([SILENT]);
    const gone = performance.now();
    if (this.emptied) await this.gone(FIXED, 1_000 * (fault.hold ?? 0));
    await Promise.all([fleet.stop(), writer.stop()]);
    await this.agreed();
    await reader.stop();
    await this.server.endsWell(fault.complaint);

    expect(this.violations({ begun, ending, ended, converged }, writtenMeanwhile).slice(0, 10)).toEqual([]);
    const { reads } = reader;
    const stale = reads.find(({ begun: at, source }) => at > begun && source !== undefined && source !== 'live');
    return {
      staleMs: stale && stale.ended - begun,
      convergedMs: Math.max(0, converged - ended),
      silentGoneMs: gone - ended,
      reads: reads.length,
      failedReads: reads.filter(({ status }) => status !== 200).length,
      slowestReadMs: Math.max(...reads.map((read) => read.ended - read.begun)),
      writes: writes.counts,
      slowestRefusalMs: writes.slowestRefusalMs,
      writtenMeanwhile,
      lost: fleet.lost,
    };
  }

  /** All is well for a while. */
  private async prepare(): Promise<void> {
    const { http } = this.server;
    await Promise.all(this.servers().map((server) => server.live(SOON_MS)));
    await this.others.write();
    for (const id of FIXED.map((key) => key.split('/')[1])) {
      await register(http, { service_name: 'fixed', id, health_check: { type: 'tcp', interval: 3_600 } });
    }
    await this.fleet.start();
    this.writer.start();
    this.reader.start();
    await sleep(WARM_MS);
    await this.converged();
    await register(http, { service_name: 'silent', id: '1', ttl: SILENT_TTL });
  }

  private violations(times: Times, writtenMeanwhile: number): string[] {
    const { fault, fleet, reader, writes } = this;
    const mayLose = fault.loses === 'everything' || fault.endsLeases;
    const mayWrite = !fault.outage && !fault.down && !fault.readOnly && fault.ms > 0;
    return [
      ...violationsOf(fault, fleet, reader.reads, times),
      ...writes.violations,
      ...(fleet.lost > 0 && !mayLose ? [`${fleet.lost} heartbeats were answered by 404`] : []),
      ...(mayWrite && writtenMeanwhile === 0 ? ['nothing was written meanwhile'] : []),
    ];
  }

  private forget(): void {
    if (this.fault.loses) this.writer.forget();
    if (this.fault.loses !== 'everything') return;
    this.emptied = true;
    this.others.forget();
  }

  /** Resolves, with when that was asked, once the answers say how it is. */
  private async converged(): Promise<number> {
    const deadline = performance.now() + SOON_MS;
    for (;;) {
      const known = this.writer.known();
      const read = await readAll(this.server.http);
      const wrong = read.source === 'live' ? this.differences(known, read) : [`${read.status} ${read.source}`];
      if (wrong.length === 0) return read.begun;
      if (read.ended > deadline) throw new Error(`not converged within ${SOON_MS} ms: ${wrong.join(', ')}`);
      await sleep(20);
    }
  }

  private differences(known: ReturnType<Writer['known']>, { shown }: Read): string[] {
    const fixed = this.emptied ? this.fault.hold !== undefined || undefined : false;
    const wrong = [
      ...this.fleet.members.filter((key) => shown.get(key)?.held !== false),
      ...FIXED.filter((key) => shown.get(key)?.held !== fixed),
    ];
    return [
      ...wrong.map((key) => `${key} is ${JSON.stringify(shown.get(key))}`),
      ...this.others.differences(shown),
      ...this.writer.differences(known, shown),
    ];
  }

  private async gone(keys: readonly string[], afterMs = 0): Promise<void> {
    await until(async () => {
      const { source, shown } = await readAll(this.server.http);
      return source === 'live' && !keys.some((key) => shown.has(key));
    }, afterMs + SOON_MS);
  }

  /** The server that saw nothing of the fault shows the same. */
  private async agreed(): Promise<void> {
    await until(async () => {
      const [ours, theirs] = await Promise.all([readAll(this.server.http), readAll(this.witness.http)]);
      return JSON.stringify([...ours.shown]) === JSON.stringify([...theirs.shown]);
    }, SOON_MS);
  }

  private servers(): RunningServer[] {
    return [...new Set([this.server, this.witness])];
  }

  private async close(): Promise<void> {
    await Promise.all([this.fleet.stop(), this.writer.stop(), this.reader.stop()]);
    await Promise.all(this.servers().map((server) => server.kill()));
    await this.way.close();
  }
}

function settingsOf({ hold = 0 }: Fault): Environment {
  // A background refresh would heal what the watch has missed: it is kept out of the way.
  return { HEALTH_CHECK_ENABLED: 'false', CATALOG_REFRESH_INTERVAL: '300', MASS_LOSS_HOLD: String(hold) };
}
