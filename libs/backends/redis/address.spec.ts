import { describe, expect, it } from '@jest/globals';
import { Credentials, describeAddress, parseAddress } from './address.js';

const [single, sentinel, cluster] = ['single', 'sentinel', 'cluster'] as const;

describe('REDIS_URL', () => {
  it.each([
    ['redis://r', { kind: single, nodes: [{ host: 'r', port: 6379 }], tls: false, database: 0 }],
    ['rediss://10.0.0.1:1/3', { kind: single, nodes: [{ host: '10.0.0.1', port: 1 }], tls: true, database: 3 }],
    ['redis://[2001:db8::1]:1', { kind: single, nodes: [{ host: '2001:db8::1', port: 1 }], tls: false, database: 0 }],
    [
      'redis+sentinel://a,b:1/my%20master/2',
      {
        kind: sentinel,
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
        ],
        tls: false,
        master: 'my master',
        database: 2,
      },
    ],
    ['rediss+cluster://a:1', { kind: cluster, nodes: [{ host: 'a', port: 1 }], tls: true, database: 0 }],
    [
      'redis://:p%40ss@r',
      {
        kind: single,
        nodes: [{ host: 'r', port: 6379 }],
        tls: false,
        credentials: new Credentials('p@ss'),
        database: 0,
      },
    ],
    [
      'redis://me:secret@r',
      {
        kind: single,
        nodes: [{ host: 'r', port: 6379 }],
        tls: false,
        credentials: new Credentials('secret', 'me'),
        database: 0,
      },
    ],
  ])('%s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each([
    'r',
    'http://r',
    'redis://',
    'redis://r:0',
    'redis://r:70000',
    'redis://r:x',
    'redis://r/x',
    'redis://r/1/2',
    'redis://a,b',
    'redis://user@r',
    'redis://:p@ss@r',
    'redis://:%ZZ@r',
    'redis://r?db=1',
    'redis+sentinel://a',
    'redis+sentinel://a,/m',
    'redis+cluster://a/1',
    'redis+other://a',
  ])('refuses %s', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('keeps its password out of what is written', () => {
    const address = parseAddress('redis+sentinel://me:secret@a:1,[::1]:2/m')!;
    expect(JSON.stringify(address)).not.toMatch(/secret|me/);
    expect(describeAddress(address)).toBe('Redis m by the sentinels at a:1, [::1]:2');
  });
});
