// For a container's health check, where there is neither a shell nor curl: exit code 0 while the server beside
// it lives. On its own, as it is started every few seconds: nothing else of the server is loaded.
import * as http from 'node:http';
import * as https from 'node:https';

const DEFAULT_PORT = '8090';
const DEADLINE_MS = 4_000;
const EVERYWHERE = ['', '0.0.0.0', '::'];

const ON = ['true', '1', 'yes', 'on'];

const { SERVICE_HOST, SERVICE_PORT, SERVICE_DISCOVERY_HOST, SERVICE_DISCOVERY_PORT, TLS_ENABLED = '' } = process.env;
const host = SERVICE_HOST || SERVICE_DISCOVERY_HOST || '';
// A link of Kubernetes is an address, and no port of ours.
const port = [SERVICE_PORT, SERVICE_DISCOVERY_PORT].find((each) => each && /^\d+$/.test(each)) ?? DEFAULT_PORT;

function complain(why: string): never {
  console.error(why);
  process.exit(1);
}

const url = { host: EVERYWHERE.includes(host) ? '127.0.0.1' : host, port, path: '/health/live' };
// It says nothing that is secret, and hears nothing but whether somebody is there: whoever that is, by this name or another.
const options = { ...url, timeout: DEADLINE_MS, rejectUnauthorized: false };
const { get } = ON.includes(TLS_ENABLED.trim().toLowerCase()) ? https : http;
const request = get(options, ({ statusCode }) => {
  if (statusCode === 200) process.exit(0);
  complain(`/health/live answers ${statusCode ?? 'nothing'}`);
});
request.on('timeout', () => complain(`/health/live does not answer within ${DEADLINE_MS} ms`));
request.on('error', ({ message }) => complain(message));
