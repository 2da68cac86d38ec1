import { consul } from '../../servers/consul.js';
import { getJson, sendJson } from '../../servers/http.js';
import { serverContract } from '../../servers/server-contract.js';

serverContract(consul, {
  write: async (address, key, value) => {
    await sendJson(`${address}/v1/kv/${key}`, 'PUT', value);
  },
  read: async (address, key) => String(await getJson(`${address}/v1/kv/${key}?raw&consistent`)),
});
