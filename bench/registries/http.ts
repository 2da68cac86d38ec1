import { Pool } from 'undici';

/** Sends JSON over kept connections, and wants a success. */
export type Send = (method: 'POST' | 'PUT' | 'PATCH', path: string, body?: object, type?: string) => Promise<void>;

export function sender(
  origin: string,
  { ca, headers = {} }: { ca?: Buffer; headers?: Readonly<Record<string, string>> } = {},
): { send: Send; close: () => Promise<void> } {
  const pool = new Pool(origin, { connect: { ca } });
  return {
    send: async (method, path, body, type = 'application/json') => {
      const answer = await pool.request({
        method,
        path,
        headers: { ...headers, 'content-type': type },
        body: body && JSON.stringify(body),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    },
    close: () => pool.close(),
  };
}
