import { etcd } from '../../servers/etcd.js';
import { sendJson } from '../../servers/http.js';
import { serverContract } from '../../servers/server-contract.js';

const encode = (text: string) => Buffer.from(text).toString('base64');

serverContract(etcd, {
  write: async (address, key, value) => {
    await sendJson(`${address}/v3/kv/put`, 'POST', { key: encode(key), value: encode(value) });
  },
  read: async (address, key) => {
    const { kvs } = (await sendJson(`${address}/v3/kv/range`, 'POST', { key: encode(key) })) as {
      kvs: [{ value: string }];
    };
    return Buffer.from(kvs[0].value, 'base64').toString();
  },
});
