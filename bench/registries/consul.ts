import { sender } from './http.js';
import { TTL, type RawRegistry } from './raw-client.js';

export const consul: RawRegistry = {
  type: 'consul',
  environment: (address) => {
    const { hostname, port } = new URL(address);
    return { CONSUL_HOST: hostname, CONSUL_PORT: port };
  },
  operations: {
    register: 'PUT /v1/agent/service/register with a TTL check',
    heartbeat: 'PUT /v1/agent/check/pass',
  },
  connect: (address) => {
    const { send, close } = sender(address);
    const put = (path: string, body?: object) => send('PUT', `/v1/agent/${path}`, body);
    return Promise.resolve({
      register: (n) =>
        put('service/register', {
          Name: `raw-${n % 100}`,
          ID: `raw-${n}`,
          Address: `10.0.${(n >> 8) & 255}.${n & 255}`,
          Port: 8_080,
          Tags: ['api', 'v1'],
          Meta: { version: '1.0.0' },
          Check: { CheckID: `raw-${n}`, TTL: `${TTL}s`, Status: 'passing' },
        }),
      heartbeat: (n) => put(`check/pass/raw-${n}`),
      close,
    });
  },
};
