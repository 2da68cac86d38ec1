import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { HttpClient } from '../../support/http-client.js';
import { instancePath, register } from '../../support/instances.js';
import { ServerProcess, temporaryFolder, type Environment } from '../../support/process.js';
import { Proxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import type { Fault } from './fault.js';
import { Fleet } from './fleet.js';
import { violationsOf } from './judge.js';
import { readAll, Reader, type Read } from './reader.js';
import type { Cell } from './results.js';
import type { Subject } from './subject.js';
import { Writer } from './writer.js';
import { Writes } from './writes.js';

/** Upper bounds for a busy machine; what it took is what counts, and is recorded. */
const CONVERGED_MS = 60_000;
const GONE_MS = 60_000;
const WARM_MS = 2_000;
const READY_MS = 60_000;
/** Of a silent instance, seconds: the smallest there is. */
const SILENT_TTL = 5;

/** They have no lease: no silence ends them, and they never register again. */
export const FIXED = ['fixed/1', 'fixed/2', 'fixed/3', 'fixed/4'];
/** Stops to say that it lives when the fault begins. */
export const SILENT = 'silent/1';

/** One server, behind a way to its registry that can be taken from it, and another one that is not disturbed. */
export class Trial {
  readonly way: Proxy;
  readonly reader = new Reader(() => this.http);
  readonly writes = new Writes(() => this.http);
  readonly writer: Writer;
  readonly fleet: Fleet;
  server!: ServerProcess;
  http!: HttpClient;
  witness!: ServerProcess;
  witnessHttp!: HttpClient;
  /** What others have written, by `SERVICE/ID`: their tag, or that it has gone. */
  private readonly foreign = new Map<string, string>();
  /** The registry has lost everything. */
  private emptied = false;

  private constructor(
    readonly subject: Subject,
    private readonly fault: Fault,
    way: Proxy,
    private readonly environment: Environment,
    private readonly direct: Environment,
  ) {
    this.way = way;
    this.fleet = new Fleet(this.writes, fault.ttl ?? 15);
    this.writer = new Writer(this.writes, fault.loses !== undefined);
  }

  /** @throws what was wrong */
  static async run(subject: Subject, fault: Fault): Promise<Cell> {
    const way = await Proxy.to(subject.port);
    const name = `faults-${randomUUID().slice(0, 8)}`;
    const at = (port: number): Environment => ({ ...subject.environment(port, name), ...settingsOf(fault) });
    const environment = { ...at(way.port), DATA_DIR: await temporaryFolder() };
    const trial = new Trial(subject, fault, way, environment, at(subject.port));
    try {
      await trial.startServers();
      return await trial.run();
    } finally {
      await trial.close();
    }
  }

  /** Both. Resolves when they serve. */
  async startServers(): Promise<void> {
    [this.server, this.witness] = await Promise.all([
      ServerProcess.start(this.environment),
      ServerProcess.start(this.direct),
    ]);
    this.http = new HttpClient(this.server.url);
    this.witnessHttp = new HttpClient(this.witness.url);
  }

  async killServers(): Promise<void> {
    await this.reader.stop();
    await Promise.all([this.server.end('SIGKILL'), this.witness.end('SIGKILL')]);
    await this.closeClients();
  }

  /** As another server's callers. */
  async others(change: 'first' | 'later'): Promise<void> {
    const http = this.witnessHttp;
    const registered = async (id: string, tag: string) => {
      await register(http, { service_name: 'foreign', id, tags: [tag], ttl: 300 });
      this.foreign.set(`foreign/${id}`, tag);
    };
    if (change === 'first') {
      await Promise.all(['goes', 'changes'].map((id) => registered(id, 'first')));
      return;
    }
    await registered('comes', 'later');
    await registered('changes', 'later');
    expect((await http.delete(instancePath('foreign', 'goes'))).status).toBe(204);
    this.foreign.set('foreign/goes', 'gone');
  }

  private async run(): Promise<Cell> {
    const { fault, reader, writes, fleet, writer } = this;
    for (const http of [this.http, this.witnessHttp]) {
      await until(async () => (await readAll(http)).source === 'live', READY_MS);
    }
    const openAtFirst = await this.openResources();
    await this.others('first');
    for (const id of FIXED.map((key) => key.split('/')[1])) {
      await register(this.http, { service_name: 'fixed', id, health_check: { type: 'tcp', interval: 3_600 } });
    }
    await register(this.http, { service_name: 'silent', id: '1', ttl: SILENT_TTL });
    await fleet.start();
    writer.start();
    reader.start();
    await sleep(WARM_MS);
    await this.converged();
    expect((await this.http.put(`${instancePath('silent', '1')}/heartbeat`)).status).toBe(200);

    const begun = performance.now();
    await fault.begin(this);
    this.forget();
    const before = writes.counts.done;
    await Promise.all([sleep(fault.ms), fault.meanwhile?.(this)]);
    const written = writes.counts.done - before;
    const ending = performance.now();
    await fault.end(this);
    const ended = performance.now();
    const converged = await this.converged();
    if (fault.down) reader.start();
    await this.gone([SILENT], GONE_MS);
    const gone = performance.now();
    if (this.emptied) await this.gone(FIXED, GONE_MS + 1_000 * (fault.hold ?? 0));
    await Promise.all([fleet.stop(), writer.stop()]);
    await this.agreed();
    await reader.stop();
    await this.stopped(openAtFirst);

    const times = { begun, ending, ended, converged };
    const wrong = [...violationsOf(fault, fleet, reader.reads, times), ...writes.violations];
    if (fleet.lost > 0 && fault.loses !== 'everything' && !fault.endsLeases) wrong.push(`${fleet.lost} were not known`);
    if (!fault.outage && !fault.down && fault.ms > 0 && written === 0) wrong.push('nothing was written meanwhile');
    expect(wrong.slice(0, 10)).toEqual([]);
    const stale = reader.reads.find(({ begun: at, source }) => at > begun && source !== undefined && source !== 'live');
    return {
      staleMs: stale && Math.max(0, stale.ended - begun),
      convergedMs: converged - ended,
      silentGoneMs: gone - ended,
      reads: reader.reads.length,
      failedReads: reader.reads.filter(({ status }) => status !== 200).length,
      slowestReadMs: Math.max(...reader.reads.map((read) => read.ended - read.begun)),
      writes: { ...writes.counts },
      slowestRefusalMs: writes.slowestRefusalMs,
      writtenMeanwhile: written,
      lost: fleet.lost,
    };
  }

  private forget(): void {
    if (this.fault.loses) this.writer.forget();
    if (this.fault.loses !== 'everything') return;
    this.emptied = true;
    this.foreign.clear();
  }

  /** Resolves, with when that was asked, once the answers say how it is. */
  private async converged(): Promise<number> {
    const deadline = performance.now() + CONVERGED_MS;
    for (;;) {
      const known = this.writer.known();
      const read = await readAll(this.http);
      const wrong = read.source === 'live' ? this.differences(known, read) : [`${read.status} ${read.source}`];
      if (wrong.length === 0) return read.begun;
      if (read.ended > deadline) throw new Error(`not converged within ${CONVERGED_MS} ms: ${wrong.join(', ')}`);
      await sleep(20);
    }
  }

  private differences(known: ReturnType<Writer['known']>, { shown }: Read): string[] {
    const members = this.fleet.members.filter((member) => shown.get(member)?.held !== false);
    const foreign = [...this.foreign].filter(([key, tag]) => (shown.get(key)?.tags[0] ?? 'gone') !== tag);
    return [
      ...members.map((member) => `${member} is not there`),
      ...foreign.map(([key, tag]) => `${key} is ${shown.get(key)?.tags[0]} and not ${tag}`),
      ...FIXED.filter((key) => shown.get(key)?.held !== this.fixedAreHeld()).map(
        (key) => `${key} is not as it should be`,
      ),
      ...this.writer.differences(known, shown),
    ];
  }

  /** Undefined: they are not there. */
  private fixedAreHeld(): boolean | undefined {
    if (!this.emptied) return false;
    return this.fault.hold === undefined ? undefined : true;
  }

  private async gone(keys: readonly string[], ms: number): Promise<void> {
    await until(async () => {
      const { source, shown } = await readAll(this.http);
      return source === 'live' && !keys.some((key) => shown.has(key));
    }, ms);
  }

  /** The server that saw nothing of the fault shows the same. */
  private async agreed(): Promise<void> {
    await until(async () => {
      const [ours, theirs] = await Promise.all([readAll(this.http), readAll(this.witnessHttp)]);
      return JSON.stringify([...ours.shown]) === JSON.stringify([...theirs.shown]);
    }, CONVERGED_MS);
  }

  /** Nothing was left open, the end is the usual one, and nobody has complained. */
  private async stopped(openAtFirst: number): Promise<void> {
    await this.closeClients();
    await until(async () => (await this.openResources()) <= openAtFirst, 30_000);
    expect(await this.server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(this.server.stderr).toBe('');
    expect(this.server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  }

  /** Sockets and timers of the server. */
  private async openResources(): Promise<number> {
    const http = new HttpClient(this.server.url);
    const { text } = await http.get('/metrics');
    await http.close();
    return Number(/^nodejs_active_resources_total (\S+)$/m.exec(text)![1]);
  }

  private async closeClients(): Promise<void> {
    await Promise.all([this.http.close(), this.witnessHttp.close()]);
  }

  private async close(): Promise<void> {
    await Promise.all([this.fleet.stop(), this.writer.stop(), this.reader.stop()]);
    await Promise.all([this.http.close(), this.witnessHttp.close()]);
    for (const server of [this.server, this.witness]) await server.end('SIGKILL');
    await this.way.close();
  }
}

function settingsOf({ hold = 0 }: Fault): Environment {
  // A background refresh would heal what the watch has missed: it is kept out of the way.
  return { HEALTH_CHECK_ENABLED: 'false', CATALOG_REFRESH_INTERVAL: '300', MASS_LOSS_HOLD: String(hold) };
}
