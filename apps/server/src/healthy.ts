// For a container's health check, where there is neither a shell nor curl: exit code 0 while the server beside
// it lives. On its own, as it is started every few seconds: nothing else of the server is loaded.
import { get } from 'node:http';

const DEFAULT_PORT = '8090';
const DEADLINE_MS = 4_000;
const EVERYWHERE = ['', '0.0.0.0', '::'];

const { SERVICE_HOST, SERVICE_PORT, SERVICE_DISCOVERY_HOST, SERVICE_DISCOVERY_PORT } = process.env;
const host = SERVICE_HOST || SERVICE_DISCOVERY_HOST || '';
// A link of Kubernetes is an address, and no port of ours.
const port = [SERVICE_PORT, SERVICE_DISCOVERY_PORT].find((each) => each && /^\d+$/.test(each)) ?? DEFAULT_PORT;

function complain(why: string): never {
  console.error(why);
  process.exit(1);
}

const url = { host: EVERYWHERE.includes(host) ? '127.0.0.1' : host, port, path: '/health/live' };
const request = get({ ...url, timeout: DEADLINE_MS }, ({ statusCode }) => {
  if (statusCode === 200) process.exit(0);
  complain(`/health/live answers ${statusCode ?? 'nothing'}`);
});
request.on('timeout', () => complain(`/health/live does not answer within ${DEADLINE_MS} ms`));
request.on('error', ({ message }) => complain(message));
