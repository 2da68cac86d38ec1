import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressRefused, createGuard } from './guard.js';

const strict = createGuard({ allowLoopback: false, denied: [] });
const lenient = createGuard({ allowLoopback: true, denied: [] });

const hex = (n: number) => n.toString(16);
const bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
type Bytes = [number, number, number, number];
const dotted = (b: Bytes) => b.join('.');
const groups = ([a, b, c, d]: Bytes) => `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;

/** Every way to write an IPv6 address that some host or gateway takes for an IPv4 address. */
const SPELLINGS: readonly ((b: Bytes) => string)[] = [
  (b) => `::ffff:${dotted(b)}`,
  (b) => `::FFFF:${dotted(b)}`,
  (b) => `::ffff:${groups(b)}`,
  (b) => `0:0:0:0:0:ffff:${groups(b)}`,
  (b) => `0000:0000:0000:0000:0000:ffff:${dotted(b)}`,
  (b) => `0::0:ffff:${groups(b)}`,
  (b) => `::ffff:0:${dotted(b)}`,
  (b) => `::${dotted(b)}`,
  (b) => `64:ff9b::${dotted(b)}`,
  (b) => `0064:FF9B:0:0:0:0:${groups(b)}`,
  (b) => `2002:${groups(b)}::`,
  (b) => `2002:${groups(b)}:1:2:3:4:5`,
];

function refuses(guard: { check(address: string): void }, address: string): boolean {
  try {
    guard.check(address);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(AddressRefused);
    return true;
  }
}

describe('address guard', () => {
  it.each([
    ['169.254.169.254', 'metadata'],
    ['169.254.0.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['fd00:ec2::254', 'metadata'],
    ['FD00:0EC2:0:0:0:0:0:0254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'a tunnel'],
    ['64:ff9b:1::a9fe:a9fe', 'a tunnel'],
    ['::ffff:169.254.169.254', 'stands for 169.254.169.254, which is a cloud metadata service'],
    ['fe80::1%eth0', 'zone'],
    ['2001:db8::1%1', 'zone'],
    ['localhost', 'not an IP address'],
    ['127.1', 'not an IP address'],
    ['0x7f000001', 'not an IP address'],
    ['', 'not an IP address'],
  ])('always refuses %s', (address, reason) => {
    for (const guard of [strict, lenient]) expect(() => guard.check(address)).toThrow(reason);
  });

  it.each(['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'])(
    'refuses %s unless loopback is allowed',
    (address) => {
      expect(() => strict.check(address)).toThrow('loopback');
      expect(() => lenient.check(address)).not.toThrow();
    },
  );

  it.each(['10.0.0.1', '192.168.1.1', '172.16.0.1', '8.8.8.8', '240.0.0.1', 'fd00::1', '2001:db8::1', '::2:0:0'])(
    'allows %s',
    (address) => expect(() => strict.check(address)).not.toThrow(),
  );

  it('judges every IPv6 form of an IPv4 address as that address', () => {
    const interesting = fc.oneof(
      bytes,
      fc.tuple(fc.constantFrom(0, 10, 127, 169, 224, 255), fc.constantFrom(0, 254, 255), fc.nat(255), fc.nat(255)),
    );
    fc.assert(
      fc.property(interesting, fc.constantFrom(...SPELLINGS), fc.boolean(), (b, spell, allowLoopback) => {
        // Of ::/96, :: and ::1 are not IPv4.
        fc.pre(b.some((byte, i) => byte > (i === 3 ? 1 : 0)));
        const guard = createGuard({ allowLoopback, denied: ['10.0.0.0/8', '192.0.2.7'] });
        expect(refuses(guard, spell(b))).toBe(refuses(guard, dotted(b)));
      }),
    );
  });

  it('refuses exactly what the operator denies', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 32 }), bytes, (network, length, address) => {
        const number = ([a, b, c, d]: Bytes) => ((a * 256 + b) * 256 + c) * 256 + d;
        const inside =
          Math.floor(number(network) / 2 ** (32 - length)) === Math.floor(number(address) / 2 ** (32 - length));
        const guard = createGuard({ allowLoopback: true, denied: [`${dotted(network)}/${length}`] });
        expect(refuses(guard, dotted(address))).toBe(inside || refuses(lenient, dotted(address)));
      }),
    );
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/-1',
    'fd00::/129',
    'fe80::%eth0/10',
    'example.com',
    '',
    '10.0.0.0/',
    '/8',
  ])('does not begin with the network "%s"', (network) =>
    expect(() => createGuard({ allowLoopback: true, denied: ['10.0.0.0/8', network] })).toThrow(
      `"${network}" is not a network`,
    ),
  );

  it('takes single addresses and networks of both families', () => {
    const guard = createGuard({
      allowLoopback: true,
      denied: [' 10.0.0.0/8 ', '192.0.2.1', 'fd00::/8', '2001:db8::1'],
    });
    for (const address of ['10.1.2.3', '192.0.2.1', 'fd12::1', '2001:db8::1', '::ffff:10.0.0.1']) {
      expect(() => guard.check(address)).toThrow('denied by the operator');
    }
    for (const address of ['11.0.0.1', '192.0.2.2', '2001:db8::2']) expect(() => guard.check(address)).not.toThrow();
  });
});

describe('lookup of the guard', () => {
  function resolving(addresses: LookupAddress[], error: NodeJS.ErrnoException | null = null): LookupFunction {
    return createGuard({
      allowLoopback: false,
      denied: [],
      lookup: (_hostname, options, callback) => {
        expect(options.all).toBe(true);
        callback(error, addresses);
      },
    }).lookup;
  }

  function resolve(lookup: LookupFunction, all: boolean): Promise<unknown[]> {
    return new Promise((done) => lookup('name.test', { all }, (...answer) => done(answer)));
  }

  const good: LookupAddress = { address: '10.0.0.1', family: 4 };
  const better: LookupAddress = { address: '2001:db8::1', family: 6 };

  it('answers in the shape that is asked for', async () => {
    expect(await resolve(resolving([good, better]), true)).toEqual([null, [good, better]]);
    expect(await resolve(resolving([good, better]), false)).toEqual([null, '10.0.0.1', 4]);
  });

  it('refuses a name when any of its addresses is refused', async () => {
    const bad: LookupAddress = { address: '::ffff:169.254.169.254', family: 6 };
    for (const all of [true, false]) {
      const [error] = await resolve(resolving([good, bad]), all);
      expect(error).toBeInstanceOf(AddressRefused);
      expect(String(error)).toMatch(/name\.test is refused: resolves to ::ffff:169\.254\.169\.254/);
    }
  });

  it('passes a failure on, and an empty answer is one', async () => {
    const missing = Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' });
    expect((await resolve(resolving([], missing), true))[0]).toBe(missing);
    expect(String((await resolve(resolving([]), true))[0])).toContain('has no address');
  });

  it('refuses localhost by what it resolves to', async () => {
    const [error] = await new Promise<unknown[]>((done) => strict.lookup('localhost', {}, (...answer) => done(answer)));
    expect(String(error)).toContain('loopback');
  });
});
