import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWK } from 'jose';
import { silentLogger, type AuthenticationScheme } from '#core';
import { authenticationContract } from '#core/testing';
import { jwt } from './jwt.js';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

const SECRET = 'correct-horse-battery-staple-and-more';
const hmac = new TextEncoder().encode(SECRET);
const RULES = { JWT_ENABLED: 'true', JWT_ISSUER: 'https://issuer.test', JWT_AUDIENCE: 'discovery' };
const address = '127.0.0.1';

let rsa: Pair;
let pem: string;
let folder: string;
beforeAll(async () => {
  rsa = await generateKeyPair('RS256', { extractable: true });
  pem = await exportSPKI(rsa.publicKey);
  folder = await mkdtemp(join(tmpdir(), 'service-discovery-jwt-'));
  await writeFile(join(folder, 'key.pem'), pem);
});
afterAll(() => rm(folder, { recursive: true }));

/** A token that is good, but for what is given. */
function claims(over: Record<string, unknown> = {}, alg = 'RS256', header: object = {}): SignJWT {
  const now = Math.floor(Date.now() / 1_000);
  const payload = { iss: RULES.JWT_ISSUER, aud: RULES.JWT_AUDIENCE, sub: 'ann', iat: now, exp: now + 300, ...over };
  return new SignJWT(payload).setProtectedHeader({ alg, ...header });
}

let opened: AuthenticationScheme | undefined;
afterEach(() => opened?.stop?.());
async function open(environment: Record<string, string>): Promise<AuthenticationScheme> {
  const context = { logger: silentLogger, changed: () => undefined };
  return (opened = await jwt.create(jwt.options.parse({ ...RULES, ...environment }), context));
}

const tokens: Record<string, string> = {};
const carrying = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, address });
beforeAll(async () => {
  tokens.good = await claims({}, 'HS256').sign(hmac);
  tokens.forged = await claims({}, 'HS256').sign(new TextEncoder().encode(`${SECRET}x`));
});
authenticationContract({
  module: jwt,
  environment: async () => ({ ...RULES, JWT_SECRET: SECRET }),
  known: () => ({ ann: carrying(tokens.good!) }),
  unknown: () => [carrying(tokens.forged!), carrying('a.b.c')],
  absent: () => [carrying('an-api-key'), { headers: { 'x-api-key': tokens.good! }, address }],
});

describe('a token', () => {
  let scheme: AuthenticationScheme;
  beforeEach(async () => {
    scheme = await open({ JWT_PUBLIC_KEY_FILE: join(folder, 'key.pem'), JWT_ROLE_CLAIM: 'roles' });
  });

  it('that is good is its subject, with the highest role of its claim', async () => {
    const token = await claims({ roles: ['reader', 'operator', 'root'] }).sign(rsa.privateKey);
    expect(await scheme.identify(token)).toMatchObject({ name: 'ann', role: 'operator' });
    expect(await scheme.identify(await claims({ roles: 'root' }).sign(rsa.privateKey))).toMatchObject({
      role: undefined,
    });
  });

  const now = Math.floor(Date.now() / 1_000);
  it.each([
    ['expired', { exp: now - 60 }],
    ['without an end', { exp: undefined }],
    ['not yet valid', { nbf: now + 600 }],
    ['for another audience', { aud: 'billing' }],
    ['without an audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://issuer.test.evil' }],
    ['without a subject', { sub: undefined }],
    ['of a subject that would be two lines', { sub: 'ann\nadmin' }],
    ['of a subject that is no text', { sub: { a: 1 } as never }],
  ])('is nobody’s when it is %s', async (_, over) => {
    expect(await scheme.identify(await claims(over).sign(rsa.privateKey))).toBeUndefined();
  });

  it('is nobody’s without a signature, whatever alg says', async () => {
    const good = await claims().sign(rsa.privateKey);
    const [, payload] = good.split('.');
    const head = (alg: string) => Buffer.from(JSON.stringify({ alg })).toString('base64url');
    const payloadOf = { iss: RULES.JWT_ISSUER, aud: RULES.JWT_AUDIENCE, sub: 'ann', exp: now + 300 };
    const none = new UnsecuredJWT(payloadOf).encode();
    for (const token of [none, ...['none', 'None', 'NONE', ''].map((alg) => `${head(alg)}.${payload}.`)])
      expect(await scheme.identify(token)).toBeUndefined();
  });

  it('is nobody’s when the public key was taken for a secret', async () => {
    for (const text of [pem, pem.trim(), pem.replaceAll('\n', '\r\n')]) {
      const token = await claims({}, 'HS256').sign(new TextEncoder().encode(text));
      expect(await scheme.identify(token)).toBeUndefined();
    }
  });

  it('is nobody’s by a key that it brings itself', async () => {
    const mine = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(mine.publicKey);
    for (const header of [{ jwk }, { jku: 'http://127.0.0.1:1/keys' }, { kid: '../../key.pem' }]) {
      expect(await scheme.identify(await claims({}, 'RS256', header).sign(mine.privateKey))).toBeUndefined();
    }
  });

  it('is nobody’s when anything in it was changed', async () => {
    const [head, payload, signature] = (await claims().sign(rsa.privateKey)).split('.');
    const other = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), sub: 'bob' }),
    );
    expect(await scheme.identify([head, other.toString('base64url'), signature].join('.'))).toBeUndefined();
    expect(await scheme.identify([head, payload, `${signature!.slice(0, -4)}AAAA`].join('.'))).toBeUndefined();
  });
});

describe('the keys of an issuer', () => {
  let issuer: Server;
  let keys: JWK[];
  let asked: number;
  let up: boolean;
  let url: string;
  beforeEach(async () => {
    [keys, asked, up] = [[], 0, true];
    issuer = createServer((_request, response) => {
      asked++;
      response.writeHead(up ? 200 : 500, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ keys }));
    }).listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
  });
  afterEach(async () => {
    issuer.close();
    issuer.closeAllConnections();
    await once(issuer, 'close');
  });

  async function publish(kid: string, alg = 'ES256'): Promise<Pair> {
    const pair = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
    return pair;
  }
  const signed = (pair: Pair, kid: string) => claims({}, 'ES256', { kid }).sign(pair.privateKey);

  it('are asked for once, whoever comes, and again for one that is not known, but not for each', async () => {
    const first = await publish('1');
    const scheme = await open({ JWT_JWKS_URL: url });
    for (let i = 0; i < 3; i++) expect(await scheme.identify(await signed(first, '1'))).toMatchObject({ name: 'ann' });
    expect(asked).toBe(1);
    const unknown = await generateKeyPair('ES256');
    for (let i = 0; i < 20; i++) expect(await scheme.identify(await signed(unknown, `x${i}`))).toBeUndefined();
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('change while tokens of both are about', async () => {
    const first = await publish('1');
    const scheme = await open({ JWT_JWKS_URL: url });
    expect(await scheme.identify(await signed(first, '1'))).toBeDefined();
    const second = await publish('2');
    let found = await scheme.identify(await signed(second, '2'));
    for (const deadline = Date.now() + 30_000; !found && Date.now() < deadline;) {
      expect(await scheme.identify(await signed(first, '1'))).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 100));
      found = await scheme.identify(await signed(second, '2'));
    }
    expect(found).toMatchObject({ name: 'ann' });
  });

  it('cannot be asked for: that is no word on the token', async () => {
    const first = await publish('1');
    up = false;
    const scheme = await open({ JWT_JWKS_URL: url });
    await expect(async () => scheme.identify(await signed(first, '1'))).rejects.toThrow();
  });
});

describe('its settings', () => {
  it.each([
    [{}, ['JWT_SECRET']],
    [{ JWT_SECRET: SECRET, JWT_JWKS_URL: 'https://issuer.test' }, ['JWT_JWKS_URL']],
    [{ JWT_SECRET: SECRET, JWT_AUDIENCE: undefined }, ['JWT_AUDIENCE']],
    [{ JWT_SECRET: 'short' }, ['JWT_SECRET']],
    [{ JWT_JWKS_URL: 'file:///keys' }, ['JWT_JWKS_URL']],
  ])('are refused: %j', (over, path) => {
    expect(jwt.options.safeParse({ ...RULES, ...over }).error?.issues).toContainEqual(
      expect.objectContaining({ path }),
    );
  });

  it('take no private key for a public one', async () => {
    const path = join(folder, 'private.pem');
    await writeFile(path, '-----BEGIN PRIVATE KEY-----\n');
    await expect(open({ JWT_PUBLIC_KEY_FILE: path })).rejects.toThrow(/private\.pem: is a private key/);
  });
});
