// Runs schemathesis against a server of its own, driven by the OpenAPI document: no answer may be a 5xx, or
// one that the document does not have. Fails as well when there is no Python 3 with venv to run it.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const VERSION = '4.32.5';
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance'],
  ...['response_schema_conformance', 'unsupported_method', 'use_after_free'],
];
/** In seconds. */
const BUDGET = Number(process.env.FUZZ_SECONDS ?? 60);

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, '../../dist/apps/server/src/main.js');

function schemathesis() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'service-discovery', `schemathesis-${VERSION}`);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    console.log(`installing schemathesis ${VERSION} into ${folder}`);
    execFileSync('python3', ['-m', 'venv', unfinished], { stdio: 'inherit' });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`];
    execFileSync(join(unfinished, 'bin/python'), pip, { stdio: 'inherit' });
    renameSync(unfinished, folder);
  }
  // The scripts that pip writes name the folder in which it ran.
  return [join(folder, 'bin/python'), '-m', 'schemathesis.cli'];
}

/** Nothing is probed: what is registered here are other machines' addresses. */
function startServer() {
  const { PATH, HOME } = process.env;
  const env = {
    ...{ PATH, HOME, ENVIRONMENT: 'test', SERVICE_HOST: '127.0.0.1', SERVICE_PORT: '0' },
    ...{ LOG_FORMAT: 'json', LOG_LEVEL: 'info', HEALTH_CHECK_ENABLED: 'false' },
  };
  return spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function served(server) {
  for await (const line of createInterface(server.stdout)) {
    const { msg, url } = JSON.parse(line);
    if (msg === 'serving') return url;
  }
  throw new Error('the server ended before it served');
}

const [python, ...cli] = schemathesis();
// It keeps files of its own where it runs.
const folder = mkdtempSync(join(tmpdir(), 'service-discovery-fuzz-'));
const server = startServer();
try {
  const url = await served(server);
  server.stdout.resume();
  const run = [
    ...[...cli, 'run', `${url}/docs-json`, '--checks', CHECKS.join(','), '--max-time', String(BUDGET)],
    ...['--request-timeout', '20', '--suppress-health-check', 'all', '--warnings', 'off'],
    // A stream does not end: it would wait for the rest of the answer.
    ...['--exclude-path-regex', '/watch/services', '--generation-database=none'],
  ];
  const fuzzer = spawn(python, run, { stdio: 'inherit', cwd: folder });
  const [code] = await once(fuzzer, 'exit');
  process.exitCode = code ?? 1;
  if (server.exitCode !== null || server.signalCode !== null) throw new Error('the server has ended');
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}
