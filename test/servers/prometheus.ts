import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianProgram } from './debian-program.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';

const prometheus = debianProgram('prometheus', 2, 'prometheus');
const promtool = debianProgram('promtool', 2, 'prometheus');

export const programs = [prometheus, promtool];

/** Prometheus, which begins with nothing, with this configuration (JSON is YAML). */
export function startPrometheus(config: object): Promise<Server> {
  return Server.start('prometheus', async (folder) => {
    const port = await freePort();
    const file = join(folder, 'prometheus.yml');
    await writeFile(file, JSON.stringify(config));
    const address = `http://127.0.0.1:${port}`;
    return {
      program: executable(prometheus),
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      address,
      ready: async () => {
        const { status } = await fetch(`${address}/-/ready`, { signal: AbortSignal.timeout(1_000) });
        if (status !== 200) throw new Error(`/-/ready: ${status}`);
      },
    };
  });
}

/** What promtool says, and whether it is content. */
export async function runPromtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly output: string }> {
  const running = promisify(execFile)(executable(promtool), args);
  running.child.stdin!.end(input);
  try {
    const { stdout, stderr } = await running;
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}
