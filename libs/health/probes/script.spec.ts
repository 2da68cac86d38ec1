import { describe, expect, it } from '@jest/globals';
import type { ProbeResult, ScriptCommand } from '#core';
import { probeContract, type ProbeSubject } from '#core/testing';
import { createGuard } from '../guard.js';
import { serveTcp } from '../testing/servers.js';
import { script } from './script.js';

const guard = createGuard({ allowLoopback: true, denied: [] });
const target = { address: '127.0.0.1', port: 1, protocol: 'http' };

function sh(...args: string[]): ScriptCommand {
  return { command: 'sh', args: ['-c', ...args] };
}

/** A program in JavaScript. */
function js(body: () => void): ScriptCommand {
  return { command: process.execPath, args: ['-e', `(${body.toString()})()`] };
}

/** Connects to its target and stays: whoever listens there sees it live and die. */
const staying = js(() => {
  process.getBuiltinModule('node:net').connect(Number(process.env.TARGET_PORT));
});

const SCRIPTS: Record<string, ScriptCommand> = {
  ok: sh('echo fine'),
  // In a process of the shell's, so that the group is what has to go.
  staying: { command: 'sh', args: ['-c', '"$0" "$@" & wait', staying.command, ...staying.args] },
  exits: sh('exit "$TARGET_PORT"'),
  killed: sh('kill -9 $$'),
  env: { command: 'env', args: [] },
  literal: { command: 'printf', args: ['%s|', '$(id)', '`id`', '; id', '*'] },
  long: sh('head -c 1000000 /dev/zero | tr "\\0" "x"; echo late >&2'),
  endless: { command: 'yes', args: [] },
  reading: { command: 'cat', args: [] },
  both: sh('echo out; echo err >&2'),
  missing: { command: '/nowhere/at-all', args: [] },
  leaving: js(() => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const connect = 'require("net").connect(Number(process.env.TARGET_PORT), () => console.log("connected"))';
    const child = spawn(process.execPath, ['-e', connect], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => process.exit(0));
  }),
  escaping: js(() => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const connect = 'require("net").connect(Number(process.env.TARGET_PORT))';
    spawn(process.execPath, ['-e', connect], { stdio: 'inherit', detached: true }).unref();
    console.log('started');
  }),
  watching: js(() => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const connect = 'require("net").connect(Number(process.env.TARGET_PORT))';
    spawn(process.execPath, ['-e', connect], { stdio: 'inherit', detached: true });
  }),
};

const probe = script.create!({ guard, scripts: SCRIPTS });

function run(name: string, over: Partial<typeof target> = {}, signal = AbortSignal.timeout(10_000)) {
  return probe.probe({ ...target, ...over, options: { script: name } }, signal);
}

async function healthy(): Promise<ProbeSubject> {
  return {
    target: { ...target, options: { script: 'ok' } },
    reached: Promise.resolve(),
    idle: async () => {},
    close: async () => {},
  };
}

async function silent(): Promise<ProbeSubject> {
  const server = await serveTcp();
  return { ...server, target: { ...target, port: server.port, options: { script: 'staying' } } };
}

probeContract({ module: script, context: { guard, scripts: SCRIPTS }, healthy, silent });

describe('script probe', () => {
  it.each([
    [0, 'passing'],
    [1, 'warning'],
    [2, 'critical'],
    [255, 'critical'],
  ])('exit code %i is %s', async (port, status) => {
    expect(await run('exits', { port })).toEqual({ status, output: `script exits: exit code ${port}` });
  });

  it('killed by something else is critical', async () => {
    expect(await run('killed')).toEqual({ status: 'critical', output: 'script killed: killed by SIGKILL' });
  });

  it.each(['other', 'constructor', '__proto__', '/bin/sh', 'ok; id', 'OK'])(
    'runs no "%s", which is not in the list',
    async (name) => await expect(run(name)).rejects.toThrow(`there is no script "${name}" in the operator's list`),
  );

  it('runs nothing without a list', async () => {
    const bare = script.create!({ guard });
    await expect(bare.probe({ ...target, options: { script: 'ok' } }, AbortSignal.timeout(1_000))).rejects.toThrow();
  });

  it('does not blame the instance for a program that is not there', async () => {
    await expect(run('missing')).rejects.toThrow('ENOENT');
  });

  it('passes arguments as they are', async () => {
    expect((await run('literal')).output).toBe('script literal: exit code 0\n$(id)|`id`|; id|*|');
  });

  it('gives the checked address of its target, and nothing of its own environment but PATH', async () => {
    const named = createGuard({
      allowLoopback: true,
      denied: [],
      lookup: (_hostname, _options, callback) => callback(null, [{ address: '10.1.2.3', family: 4 }]),
    });
    const resolving = script.create!({ guard: named, scripts: SCRIPTS });
    const at = { address: 'name.test', port: 8080, protocol: 'https', options: { script: 'env' } };
    const { output } = await resolving.probe(at, AbortSignal.timeout(5_000));
    expect(output.split('\n').slice(1).toSorted()).toEqual([
      `PATH=${process.env.PATH}`,
      'TARGET_ADDRESS=10.1.2.3',
      'TARGET_PORT=8080',
      'TARGET_PROTOCOL=https',
    ]);
  });

  it('reads what both streams say, and keeps the beginning', async () => {
    expect((await run('both')).output).toMatch(/^script both: exit code 0\n(out\nerr|err\nout)$/);
    const { status, output } = await run('long');
    expect(status).toBe('passing');
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(4_096);
  });

  it('gives nothing to read', async () => {
    expect(await run('reading')).toMatchObject({ status: 'passing' });
  });

  it('ends at the deadline one that writes without end', async () => {
    expect(await run('endless', {}, AbortSignal.timeout(150))).toMatchObject({ status: 'critical' });
  });

  it('leaves nothing running of what a script has started', async () => {
    const server = await serveTcp();
    expect(await run('leaving', { port: server.port })).toMatchObject({ status: 'passing' });
    await server.idle();
    await server.close();
  });

  it('does not wait for a daemon that it leaves behind, and reads what it said itself', async () => {
    const server = await serveTcp();
    const result = await run('escaping', { port: server.port });
    expect(result).toEqual({ status: 'passing', output: 'script escaping: exit code 0\nstarted' });
    await server.reached;
    await server.close();
  });

  it('waits no longer than its deadline for one that has left its group', async () => {
    const server = await serveTcp();
    const abort = new AbortController();
    const result: Promise<ProbeResult> = run('watching', { port: server.port }, abort.signal);
    await server.reached;
    abort.abort(new Error('time is up'));
    expect(await result).toEqual({ status: 'critical', output: 'script watching: time is up' });
    await server.close();
  });
});
