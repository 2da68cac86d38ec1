// Runs schemathesis against a server of its own, driven by the OpenAPI document: no answer may be a 5xx, or
// one that the document does not have. Fails as well when there is no Python 3 with venv to run it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../support/own-server.mjs';
import { pythonWith } from '../support/python.mjs';

const VERSION = '4.32.5';
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance'],
  ...['response_schema_conformance', 'unsupported_method', 'use_after_free'],
];
/** In seconds. */
const BUDGET = Number(process.env.FUZZ_SECONDS ?? 60);

const python = pythonWith('schemathesis', VERSION);
// It keeps files of its own where it runs.
const folder = mkdtempSync(join(tmpdir(), 'service-discovery-fuzz-'));
const { server, url } = await startServer();
try {
  const run = [
    ...['-m', 'schemathesis.cli', 'run', `${url}/docs-json`],
    ...['--checks', CHECKS.join(','), '--max-time', String(BUDGET)],
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
