import { expect } from '@jest/globals';
import { HttpClient } from '../../support/http-client.js';
import { ServerProcess, type Environment } from '../../support/process.js';
import { until } from '../../support/until.js';

/** How long it may take to serve. Several start at the same time, and the machine may be busy. */
const START_MS = 180_000;

/** A server process with a client, that may be ended and started again. */
export class RunningServer {
  private running: { readonly process: ServerProcess; readonly http: HttpClient } | undefined;
  private openAtFirst = 0;

  constructor(private readonly environment: Environment) {}

  get process(): ServerProcess {
    return this.running!.process;
  }

  get http(): HttpClient {
    return this.running!.http;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const process = ServerProcess.spawn(this.environment);
    await process.logged(({ msg }) => msg === 'serving', 'serving', START_MS);
    this.running = { process, http: new HttpClient(process.url) };
  }

  /** Ends it as a crash does; its callers' connections break. */
  async kill(): Promise<void> {
    await this.running?.process.end('SIGKILL');
    await this.running?.http.close();
  }

  /** Until its view is that of the registry. */
  async live(ms: number): Promise<void> {
    const source = async () => (await this.http.get('/api/v1/services')).headers['x-registry-source'];
    await until(async () => (await source()) === 'live', ms);
    this.openAtFirst = await this.openResources();
  }

  /** Nothing was left open since it was live, the end is the usual one, and it has complained of nothing else. */
  async endsWell(complaint?: string): Promise<void> {
    await this.http.close();
    await until(async () => (await this.openResources()) <= this.openAtFirst, 30_000);
    expect(await this.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(this.process.stderr).toBe('');
    const errors = this.process.log.filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors.filter(({ msg }) => msg !== complaint)).toEqual([]);
  }

  /** Sockets, timers and requests that hold the process. */
  private async openResources(): Promise<number> {
    const http = new HttpClient(this.process.url);
    const { text } = await http.get('/metrics');
    await http.close();
    const counts = [...text.matchAll(/^nodejs_active_resources\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
    if (counts.length === 0) throw new Error('/metrics does not tell what is open');
    return counts.reduce((sum, count) => sum + count, 0);
  }
}
