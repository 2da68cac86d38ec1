import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { end, messageOf, startProgram, type Server } from '../bench/processes.js';
import type { Mood } from './service.js';

export const NAME = 'shop';
const PATIENCE_MS = 20_000;
const LOOK_MS = 20;
const PICKS = 30;
const WIDTH = 100;

interface Instance {
  readonly service_id: string;
  readonly address: string;
  readonly port: number;
  readonly status: string;
}

/** The audience's view: what a user does and sees, as it would be with curl. */
export class Stage {
  private readonly services = new Map<string, ChildProcess>();
  private readonly began = performance.now();
  private step = 0;

  constructor(
    private readonly server: Server,
    /** Milliseconds that the audience gets to read. */
    private readonly readingMs: number,
  ) {}

  /** The next part of the story. */
  async scene(title: string): Promise<void> {
    if (this.step > 0) await sleep(this.readingMs);
    const seconds = ((performance.now() - this.began) / 1_000).toFixed(1);
    console.log(`\n${++this.step}. ${title}  [${seconds} s]`);
  }

  say(text: string): void {
    console.log(`   ${text}`);
  }

  async start(id: string): Promise<void> {
    const child = startProgram(join(import.meta.dirname, 'service.js'), { args: [this.server.url, NAME, id] });
    this.services.set(id, child);
    await messageOf(child);
  }

  tell(id: string, mood: Mood): void {
    this.services.get(id)!.send({ mood });
  }

  /** It says nothing to anybody. */
  async kill(id: string): Promise<void> {
    await end(this.services.get(id)!, 'SIGKILL');
    this.services.delete(id);
  }

  /** Each takes its leave. */
  async dismiss(): Promise<void> {
    await Promise.all([...this.services.values()].map((child) => end(child)));
  }

  async curl(path: string, method = 'GET'): Promise<void> {
    this.command(path, method);
    const { status, body } = await this.ask(path, method);
    const text = JSON.stringify(body);
    this.say(`  ${status} ${text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text}`);
  }

  async instances(): Promise<void> {
    const path = `/api/v1/services/${NAME}/instances`;
    this.command(path);
    const { body } = await this.ask(path);
    for (const { service_id, address, port, status } of body.data as Instance[])
      this.say(`  ${service_id}  ${address}:${port}  ${status}`);
  }

  /** Picks many times and shows who was picked how often. */
  async picks(query = ''): Promise<void> {
    const path = `/api/v1/services/${NAME}/instance${query}`;
    this.command(path, 'GET', `${PICKS} times`);
    const counts = new Map<string, number>();
    for (let i = 0; i < PICKS; i++) {
      const { service_id: id } = (await this.ask(path)).body.data as Instance;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const [id, count] of [...counts].sort()) this.say(`  ${id}  ${'#'.repeat(count)} ${count}`);
  }

  /** Waits, by long polls, until the instance has that status; undefined: until it is gone. */
  async until(id: string, wanted: string | undefined): Promise<void> {
    const begun = performance.now();
    let index = '0';
    for (;;) {
      const path = `/api/v1/services/${NAME}/instances?index=${index}&wait=1s`;
      const { body, revision } = await this.ask(path);
      const status = (body.data as Instance[]).find((each) => each.service_id === id)?.status;
      if (status === wanted) break;
      if (performance.now() - begun > PATIENCE_MS) throw new Error(`${id} is ${status}, not ${wanted}`);
      index = revision;
    }
    this.say(`${((performance.now() - begun) / 1_000).toFixed(1)} s later ${id} is ${wanted ?? 'gone'}`);
  }

  /** The latest line of the server's log that says so. */
  async logged(message: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const lines = readFileSync(this.server.log, 'utf8').split('\n');
      const line = lines.findLast((each) => each.includes(`"msg":"${message}"`));
      if (line !== undefined) {
        const { time: _time, service: _service, ...fields } = JSON.parse(line) as Record<string, unknown>;
        this.say(`the server's log: ${JSON.stringify(fields)}`);
        return;
      }
      await sleep(LOOK_MS);
    }
    throw new Error(`the server has not logged ${message}`);
  }

  private command(path: string, method = 'GET', note = ''): void {
    const option = method === 'GET' ? '' : `-X ${method} `;
    this.say(`$ curl ${option}'${this.server.url}${path}'${note && `   # ${note}`}`);
  }

  private async ask(path: string, method = 'GET') {
    const response = await fetch(`${this.server.url}${path}`, { method });
    const body = (await response.json()) as { data: unknown };
    return { status: response.status, body, revision: response.headers.get('x-registry-revision') ?? '0' };
  }
}
