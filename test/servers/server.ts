import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataFolder } from './folder.js';
import { SupervisedProcess } from './supervised-process.js';

/** How long a server may take until it answers. The machine may be busy. */
const START_MS = 60_000;
const ATTEMPTS = 3;

/** How to start one, on ports and in a folder that are its own for as long as it lives. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** By which clients know it. */
  readonly address: string;
  /** Rejects until it can serve. */
  readonly ready: () => Promise<void>;
}

/** A real server for tests. Whoever starts it stops it; it does not outlive the process that started it. */
export class Server {
  /** What it needs, and what needs it: they end with it. */
  readonly companions: Server[] = [];
  private launch!: Launch;
  private process: SupervisedProcess | undefined;

  private constructor(
    private readonly name: string,
    private readonly folder: string,
  ) {}

  /**
   * Resolves when it answers. `plan` gets a folder of the server's own and its companions to be. It is
   * asked again when somebody was faster to take a port.
   */
  static async start(name: string, plan: (folder: string, companions: Server[]) => Promise<Launch>): Promise<Server> {
    for (let attempt = 1; ; attempt++) {
      const server = new Server(name, await dataFolder(name));
      try {
        server.launch = await plan(server.folder, server.companions);
        await server.restart();
        return server;
      } catch (error) {
        const taken = /address already in use/i.test(await server.log());
        await server.stop();
        if (!taken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  get address(): string {
    return this.launch.address;
  }

  get pid(): number {
    return this.process!.pid;
  }

  /** Everything that it wrote. */
  async log(): Promise<string> {
    return readFile(this.logFile, 'utf8').catch(() => '');
  }

  /** Ends it as a crash does. Its data stay. */
  async kill(): Promise<void> {
    await this.process?.kill();
  }

  /** As `kill`, and its data go with it. */
  async forget(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true });
    await mkdir(this.folder);
  }

  /** Starts it, again, on its ports and data. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const { program, args } = this.launch;
    this.process = new SupervisedProcess(program, args, this.folder, this.logFile);
    await this.answers(this.process);
  }

  /** It keeps its connections and answers nothing. */
  async suspend(): Promise<void> {
    await this.process!.suspend();
  }

  resume(): void {
    this.process!.resume();
  }

  /** Ends it, with its companions and its data. */
  async stop(): Promise<void> {
    await this.kill();
    await Promise.all(this.companions.map((companion) => companion.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  private get logFile(): string {
    return join(this.folder, 'log');
  }

  private async answers(running: SupervisedProcess): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      if (running.hasEnded) throw new Error(`${this.name} ended before it answered:\n${await this.log()}`);
      try {
        await this.launch.ready();
        return;
      } catch (error) {
        if (performance.now() > deadline) {
          throw new Error(`${this.name} does not answer:\n${await this.log()}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }
}
