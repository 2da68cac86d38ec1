import { describe, expect, it } from '@jest/globals';
import { addressField } from './fields.js';
import { authorityOf } from './instance.js';

function issues(address: string): string[] {
  return addressField.safeParse(address).error?.issues.map(({ message }) => message) ?? [];
}

describe('an address', () => {
  it.each([
    '10.0.0.1',
    '2001:db8::1',
    'web',
    'WEB.example',
    'web.',
    '_sip._tcp.web',
    'a_b.c',
    '1a',
    '1.web',
    'xn--bcher-kva',
  ])('%s is one, and a URL leaves it as it is', (address) => {
    expect(issues(address)).toEqual([]);
    const { host } = new URL(`http://${authorityOf(address, 81)}/`);
    expect(host).toBe(authorityOf(address, 81).toLowerCase());
  });

  it.each(['web.1', 'web.09', 'web.0x1', '0x7f', '0x7f.web.1.'])('%s is none: a URL has no such host', (address) => {
    expect(issues(address)).toEqual([expect.stringMatching(/^must be a host name that can stand in a URL: /)]);
  });

  it('of Punycode that is none is one where this Node has a URL with it', () => {
    expect(issues('xn--a')).toHaveLength(URL.canParse('http://xn--a/') ? 0 : 1);
  });

  it.each(['', '1.2.3', '1.2.3.4.', 'a b', 'a/b', 'a:80', '-a', 'fe80::1%eth0', 'a..b', 'ä', 'a'.repeat(64)])(
    '%j is none',
    (address) => {
      expect(issues(address)).toEqual(['must be a host name, an IPv4 or an IPv6 address without a zone']);
    },
  );
});
