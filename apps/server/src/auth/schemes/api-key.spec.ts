import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '#core';
import { authenticationContract } from '#core/testing';
import { apiKey } from './api-key.js';

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'service-discovery-keys-')), 'keys.json');
});
afterEach(() => rm(join(path, '..'), { recursive: true }));

const KEY = 'Zk3v8Jq2Xh1T5yWn7Lr0Pb4Mc6Dg9Fs2Aa8Ee1Uu3Ii';
const SHA256 = hash('sha256', KEY, 'hex');
const address = '127.0.0.1';

async function environment(content: unknown = { keys: [{ name: 'ci', sha256: SHA256 }] }) {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return { API_KEY_ENABLED: 'true', API_KEY_FILE: path };
}

authenticationContract({
  module: apiKey,
  environment,
  known: () => ({ ci: { headers: { 'x-api-key': KEY }, address } }),
  unknown: () => [
    { headers: { authorization: `Bearer ${KEY.slice(1)}` }, address },
    { headers: { authorization: `Bearer ${SHA256}` }, address },
    { headers: { 'x-api-key': `${KEY} ` }, address },
    { headers: { 'x-api-key': '' }, address },
  ],
  absent: () => [{ headers: { authorization: `Basic ${KEY}` }, address }],
});

async function create(content: unknown) {
  const options = apiKey.options.parse(await environment(content));
  return apiKey.create(options, { logger: silentLogger, changed: () => undefined });
}

describe('the file of keys', () => {
  it('says what each may do and until when; a name may have two keys', async () => {
    const other = hash('sha256', 'other', 'hex').toUpperCase();
    const scheme = await create({
      keys: [
        { name: 'ci', sha256: SHA256, role: 'registrar', expires: '2030-01-01T00:00:00+01:00' },
        { name: 'ci', sha256: other },
      ],
    });
    expect(await scheme.identify(KEY)).toEqual({
      name: 'ci',
      role: 'registrar',
      expiresAt: Date.UTC(2029, 11, 31, 23),
    });
    expect(await scheme.identify('other')).toEqual({ name: 'ci' });
    scheme.stop?.();
  });

  it.each([
    ['no JSON', KEY, 'is not JSON'],
    ['another shape', { ci: KEY }, 'keys'],
    ['a key in the place of its hash', { keys: [{ name: 'ci', sha256: KEY }] }, 'must be the SHA-256'],
    ['an unknown role', { keys: [{ name: 'ci', sha256: SHA256, role: 'root' }] }, 'role'],
    ['a name of another scheme', { keys: [{ name: 'jwt:ci', sha256: SHA256 }] }, 'name'],
    ['a misspelt member', { keys: [{ name: 'ci', sha256: SHA256, expire: '2020-01-01T00:00:00Z' }] }, 'expire'],
    ['a day without a time', { keys: [{ name: 'ci', sha256: SHA256, expires: '2030-01-01' }] }, 'expires'],
    [
      'a key twice',
      {
        keys: [
          { name: 'a', sha256: SHA256 },
          { name: 'b', sha256: SHA256 },
        ],
      },
      'the same',
    ],
  ])('is refused, and not repeated, with %s', async (_, content, message) => {
    const said = await create(content).then(String, (error: unknown) => (error as Error).message);
    expect(said).toContain(message);
    expect(said).toContain(path);
    expect(said).not.toContain(KEY);
  });

  it('must be named, and be there', async () => {
    expect(apiKey.options.safeParse({ API_KEY_ENABLED: 'true' }).error?.issues).toMatchObject([
      { path: ['API_KEY_FILE'] },
    ]);
    const options = apiKey.options.parse({ API_KEY_ENABLED: 'true', API_KEY_FILE: path });
    const context = { logger: silentLogger, changed: () => undefined };
    await expect(apiKey.create(options, context)).rejects.toThrow(/keys\.json.*ENOENT/);
  });
});
