// Runs jest: node scripts/test.mjs [project…] [paths and options for jest]
// Without a project, all that can run here; what cannot is named at the end. With CI set, all must.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import '../test/support/typescript.mjs';

const { SERVERS, hasPrograms, isAvailable } = await import('../test/servers/index.ts');
const { TOOLS } = await import('../test/deploy/support/tools.ts');

const ALWAYS = ['unit', 'memory', 'integration', 'replicas', 'faults', 'deploy'];
const KNOWN = [...ALWAYS, ...SERVERS.map(({ name }) => name), 'soak'];
/** Those that try every kind of server that there is. */
const OF_ALL = ['replicas', 'faults', 'deploy'];

const PREPARE = 'To have them: npm run servers (once, about 15 minutes in all, most of it for Consul and Kubernetes)';

const args = process.argv.slice(2);
const named = [];
while (KNOWN.includes(args[0])) named.push(args.shift());
const all = named.length === 0 || named.some((name) => OF_ALL.includes(name));
const wanted = SERVERS.filter(({ name }) => all || named.includes(name));
const missing = wanted.filter((kind) => !isAvailable(kind));
const onlyToShare = wanted.filter((kind) => isAvailable(kind) && !hasPrograms(kind));
const tools = named.length === 0 || named.includes('deploy') ? TOOLS.filter((tool) => tool.find() === undefined) : [];
if (
  missing.some(({ name }) => named.includes(name)) ||
  (missing.length + onlyToShare.length + tools.length > 0 && process.env.CI)
) {
  tellWhatIsLeftOut();
  process.exit(1);
}

const projects = named.length > 0 ? named : [...ALWAYS, ...wanted.filter(isAvailable).map(({ name }) => name)];
const node = ['--experimental-vm-modules', '--no-warnings', '--import', './test/support/end-with-parent.mjs'];
const jest = ['node_modules/jest/bin/jest.js', ...args, '--selectProjects', ...projects];
const child = spawn(process.execPath, [...node, ...jest], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
// Jest ends, and its servers with it; then this does.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const [code, signal] = await once(child, 'exit');
process.exitCode = code ?? 128 + constants.signals[signal];
tellWhatIsLeftOut();

function tellWhatIsLeftOut() {
  if (missing.length > 0) {
    console.error(`\nNOT RUN: ${names(missing)}, whose servers are not here. ${PREPARE}`);
    console.error(`Or name servers that run already: ${missing.map(({ variable }) => variable).join(', ')}`);
  }
  if (tools.length > 0) console.error(`\nNOT RUN: what of deploy takes ${names(tools)}. ${PREPARE}`);
  if (onlyToShare.length > 0) {
    console.error(`\nNOT RUN: suites that break a server of ${names(onlyToShare)}. ${PREPARE}`);
  }
}

function names(kinds) {
  return kinds.map(({ name }) => name).join(', ');
}
