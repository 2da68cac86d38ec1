import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { body, instancePath } from '../../support/instances.js';
import { temporaryFolder } from '../../support/process.js';
import { Proxy } from '../../support/proxy.js';
import { isMortal, Model, TTL } from './model.js';
import { readAll } from './reader.js';
import { RunningServer } from './running-server.js';
import { stepsOf, type Outage, type Step, type Write } from './steps.js';
import type { Subject } from './subject.js';
import { Writes } from './writes.js';

/** Upper bounds for a busy machine. */
const AGREED_MS = 60_000;
const FROZEN_MS = 3_000;
/** Steps that are told when one of them goes wrong. */
const TOLD = 40;

interface Replica {
  readonly server: RunningServer;
  readonly writes: Writes;
  readonly way: Proxy;
}

/** Servers in front of one registry that go from step to step, beside a model of what they must show. */
export class Walk {
  private readonly model = new Model();
  private readonly trace: string[] = [];

  private constructor(
    private readonly subject: Subject,
    private readonly replicas: readonly Replica[],
  ) {}

  /**
   * Walks for so long. The same seed makes the same steps.
   *
   * @throws Error which says what was wrong, and the steps that led there.
   */
  static async run(subject: Subject, seed: number, ms: number): Promise<void> {
    const name = `faults-${randomUUID().slice(0, 8)}`;
    const replicas: Replica[] = [];
    for (let i = 0; i < (subject.alone ? 1 : 2); i++) {
      const way = await Proxy.to(subject.port);
      const environment = {
        ...(await subject.environment(way.port, name)),
        ...(subject.alone && { DATA_DIR: await temporaryFolder() }),
        ...{ HEALTH_CHECK_ENABLED: 'false', CATALOG_REFRESH_INTERVAL: '300', MASS_LOSS_HOLD: '0' },
      };
      const server = new RunningServer(environment);
      replicas.push({ server, way, writes: new Writes(() => server.http) });
    }
    const walk = new Walk(subject, replicas);
    try {
      await Promise.all(replicas.map(({ server }) => server.start()));
      await walk.run(seed, ms);
    } catch (error) {
      const steps = walk.trace.slice(-TOLD).join('\n');
      throw new Error(`${(error as Error).message}\nseed ${seed}, step ${walk.trace.length}:\n${steps}`, {
        cause: error,
      });
    } finally {
      await Promise.all(replicas.map(({ server }) => server.kill()));
      await Promise.all(replicas.map(({ way }) => way.close()));
    }
  }

  private async run(seed: number, ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    await Promise.all(this.replicas.map(({ server }) => server.live(AGREED_MS)));
    for (const step of stepsOf(seed)) {
      if (performance.now() > deadline) break;
      this.trace.push(JSON.stringify(step));
      await this.take(step);
    }
    await this.take({ kind: 'expire' });
    await this.take({ kind: 'look' });
    for (const { server } of this.replicas) await server.endsWell();
  }

  private async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'look':
        await this.agreed();
        return;
      case 'expire':
        await this.expired();
        return;
      case 'outage':
        await this.suffer(step);
        await this.agreed();
        return;
      default:
        await this.write(step, true);
    }
  }

  /** @param well Whoever has written something sees it in the next answer. */
  private async write(write: Write, well: boolean): Promise<void> {
    const { server, writes } = this.replica(write.through);
    const begun = performance.now();
    const outcome = await writes.write(...requestOf(write));
    const wrong = [...this.model.apply(write, outcome, begun, performance.now()), ...writes.violations];
    if (well && outcome === 'done' && write.kind !== 'renew') {
      const { shown, ended } = await readAll(server.http);
      const key = `${write.service}/${write.id}`;
      wrong.push(...this.model.differences(shown, ended).filter((difference) => difference.startsWith(`${key} `)));
    }
    if (wrong.length > 0) throw new Error(wrong.join(', '));
  }

  /** All servers show what the model says. */
  private async agreed(): Promise<void> {
    for (const { server } of this.replicas) {
      await this.until(async () => {
        const { source, status, shown, ended } = await readAll(server.http);
        return source === 'live' ? this.model.differences(shown, ended) : [`${status} ${source}`];
      });
    }
  }

  /** Nobody says that it lives, until all whose lease can end are gone, everywhere. */
  private async expired(): Promise<void> {
    await sleep(1_000 * TTL);
    for (const { server } of this.replicas) {
      await this.until(async () => {
        const { source, status, shown } = await readAll(server.http);
        const left = [...shown.keys()].filter((key) => isMortal({ id: key.split('/')[1]! }));
        return source === 'live' ? left.map((key) => `${key} is still there`) : [`${status} ${source}`];
      });
    }
  }

  private async suffer({ how, of, writes, pauseMs }: Outage): Promise<void> {
    const { server, way } = this.replica(of);
    const { subject } = this;
    const meanwhile = async () => {
      for (const write of writes) {
        await sleep(pauseMs);
        await this.write(write, false);
      }
    };
    if (how === 'server killed' || subject.alone) {
      await server.kill();
      await sleep(pauseMs);
      await server.start();
      await this.until(async () => ((await readAll(server.http)).status === 200 ? [] : ['not ready']));
      return;
    }
    if (how === 'cut') {
      await way.cut();
      await meanwhile();
      await way.mend();
    } else if (how === 'killed') {
      await subject.kill();
      await meanwhile();
      await subject.restart();
    } else {
      await subject.suspend();
      await Promise.all([this.write(writes[0]!, false), sleep(FROZEN_MS)]);
      subject.resume();
    }
  }

  private replica(number: number): Replica {
    return this.replicas[number % this.replicas.length]!;
  }

  private async until(wrong: () => Promise<readonly string[]>): Promise<void> {
    const deadline = performance.now() + AGREED_MS;
    for (;;) {
      const left = await wrong();
      if (left.length === 0) return;
      if (performance.now() > deadline) throw new Error(`after ${AGREED_MS} ms: ${left.join(', ')}`);
      await sleep(20);
    }
  }
}

function requestOf(write: Write): Parameters<Writes['write']> {
  const { kind, service, id, tag } = write;
  const path = instancePath(service, id);
  switch (kind) {
    case 'register': {
      const life = isMortal(write) ? { ttl: TTL } : { health_check: { type: 'tcp', interval: 3_600 } };
      return ['POST', '/api/v1/services', body({ service_name: service, id, tags: [tag], ...life })];
    }
    case 'renew':
      return ['PUT', `${path}/heartbeat`];
    case 'deregister':
      return ['DELETE', path];
    case 'patch':
      return ['PATCH', path, { tags: [tag] }];
    case 'maintain':
      return ['PUT', `${path}/maintenance`];
    case 'release':
      return ['DELETE', `${path}/maintenance`];
  }
}
