import { describe, expect, it } from '@jest/globals';
import type { AuthenticationScheme, Identity, Presented } from '#core';
import { Authenticator, type NamedScheme } from './authenticator.js';
import { Caller } from './caller.js';

/** A scheme that knows `name=secret` in a header of its own, and how often it was asked. */
class Counting implements AuthenticationScheme {
  asked = 0;
  constructor(
    readonly known: Record<string, Identity>,
    readonly challenge = 'Test realm="a"',
    readonly ambient = false,
    private readonly header = 'x-test',
  ) {}

  credentialIn({ headers }: Presented): string | undefined {
    return headers[this.header] as string | undefined;
  }

  identify(credential: string): Identity | undefined | Promise<Identity | undefined> {
    this.asked++;
    return this.known[credential];
  }
}

function named(name: string, scheme: AuthenticationScheme): NamedScheme {
  return { name, scheme, callerOf: (identity) => new Caller(`${name}:${identity.name}`, [], identity.expiresAt) };
}

function request(headers: Record<string, string>): Presented {
  return { headers, address: '127.0.0.1' };
}

async function nameOf(authenticator: Authenticator, headers: Record<string, string>): Promise<string> {
  const found = await authenticator.find(request(headers));
  return typeof found === 'string' ? found : found.name;
}

describe('the authenticator', () => {
  it('asks once for a credential that is good, and each time for one that is not', async () => {
    const scheme = new Counting({ a: { name: 'ann' } });
    const authenticator = new Authenticator([named('one', scheme)]);
    for (let i = 0; i < 3; i++) expect(await nameOf(authenticator, { 'x-test': 'a' })).toBe('one:ann');
    expect(scheme.asked).toBe(1);
    for (let i = 0; i < 3; i++) expect(await nameOf(authenticator, { 'x-test': 'b' })).toBe('nobody');
    expect(scheme.asked).toBe(4);
    expect(await nameOf(authenticator, {})).toBe('nothing');
  });

  it('forgets whom it knew when it is told to, also of who is being found out at that moment', async () => {
    const scheme = new Counting({ a: { name: 'ann' } });
    const authenticator = new Authenticator([named('one', scheme)]);
    const finding = nameOf(authenticator, { 'x-test': 'a' });
    authenticator.forget();
    await finding;
    delete scheme.known.a;
    expect(await nameOf(authenticator, { 'x-test': 'a' })).toBe('nobody');
  });

  it('remembers nobody for longer than the credential is good', async () => {
    const scheme = new Counting({ a: { name: 'ann', expiresAt: Date.now() + 50 }, old: { name: 'old', expiresAt: 1 } });
    const authenticator = new Authenticator([named('one', scheme)]);
    expect(await nameOf(authenticator, { 'x-test': 'old' })).toBe('nobody');
    while (Date.now() < scheme.known.a!.expiresAt!) await nameOf(authenticator, { 'x-test': 'a' });
    expect(await nameOf(authenticator, { 'x-test': 'a' })).toBe('nobody');
  });

  it('keeps apart what one text is in two schemes', async () => {
    const [one, two] = [new Counting({ a: { name: 'ann' } }), new Counting({ b: { name: 'bob' } })];
    const authenticator = new Authenticator([named('one', one), named('two', two)]);
    expect(await nameOf(authenticator, { 'x-test': 'b' })).toBe('two:bob');
    two.known.a = { name: 'mallory' };
    expect(await nameOf(authenticator, { 'x-test': 'a' })).toBe('one:ann');
    expect(authenticator.challenges).toEqual(['Test realm="a"']);
  });

  it('takes nobody for whom the connection says when the request says otherwise', async () => {
    const connection = new Counting({ c: { name: 'carol' } }, 'Test realm="b"', true, 'x-connection');
    const authenticator = new Authenticator([
      named('connection', connection),
      named('one', new Counting({ a: { name: 'ann' } })),
    ]);
    const headers = { 'x-connection': 'c' };
    expect(await nameOf(authenticator, headers)).toBe('connection:carol');
    expect(await nameOf(authenticator, { ...headers, 'x-test': 'a' })).toBe('one:ann');
    expect(await nameOf(authenticator, { ...headers, 'x-test': 'no' })).toBe('nobody');
  });
});
