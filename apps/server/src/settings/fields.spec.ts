import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { load, problems } from './testing/seams.js';

describe('durations', () => {
  it.each([
    ['20', 20_000],
    ['20s', 20_000],
    ['1m30s', 90_000],
    ['2500ms', 2_500],
    [' 1.5 ', 1_500],
  ])('reads %j', (text, ms) => {
    expect(load({ SHUTDOWN_GRACE: text }).settings.shutdown.graceMs).toBe(ms);
  });

  it.each(['-1', '1 minute', 'NaN', '1e3', '25d'])('refuses %j', (text) => {
    expect(problems({ SHUTDOWN_GRACE: text })).toMatchObject([{ variable: 'SHUTDOWN_GRACE', value: text }]);
  });

  it('are the same in seconds and in milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 24 * 86_400 }), (seconds) => {
        const graceMs = (text: string) => load({ SHUTDOWN_GRACE: text }).settings.shutdown.graceMs;
        expect([`${seconds}s`, `${seconds * 1_000}ms`].map(graceMs)).toEqual([seconds * 1_000, seconds * 1_000]);
      }),
    );
  });
});

describe('numbers', () => {
  it('are ports from 1 to 65535 and nothing else', () => {
    fc.assert(
      fc.property(fc.integer(), (port) => {
        const good = port >= 1 && port <= 65_535;
        expect(problems({ SERVICE_PORT: String(port) })).toHaveLength(good ? 0 : 1);
      }),
    );
  });

  it.each(['0x50', '80.0', '1e2', '８０８０'])('are written in decimal digits: not %j', (text) => {
    expect(problems({ SERVICE_PORT: text })).toHaveLength(1);
  });

  it('are shares from 0 to 1', () => {
    expect(load({ MASS_LOSS_SHARE: '.25' }).settings.massLoss.share).toBe(0.25);
    expect(problems({ MASS_LOSS_SHARE: '1.01' })).toHaveLength(1);
    expect(problems({ MASS_LOSS_SHARE: '50%' })).toHaveLength(1);
  });
});

describe('lists of names', () => {
  it.each([
    ['all', ['old', 'older']],
    ['none', []],
    [' older, ', ['older']],
  ])('%j are %j', (text, names) => {
    expect(load({ DIALECTS: text }).settings.dialects).toEqual(names);
  });

  it('name what there is', () => {
    expect(problems({ DIALECTS: 'old,new' })[0]?.message).toContain('some of old, older');
  });
});

describe('flags', () => {
  it.each(['true', 'TRUE', '1', 'Yes', 'on'])('are on for %j', (text) => {
    expect(load({ LOG_REQUESTS: text }).settings.log.requests).toBe(true);
  });

  it.each(['false', 'False', '0', 'NO', 'off'])('are off for %j', (text) => {
    expect(load({ METRICS_ENABLED: text }).settings.metrics.enabled).toBe(false);
  });
});

describe('log levels', () => {
  it.each([
    ['INFO', 'info'],
    ['Warning', 'warn'],
    ['CRITICAL', 'fatal'],
    ['silent', 'silent'],
    ['Trace', 'trace'],
  ])('reads %j as %s', (text, level) => {
    expect(load({ LOG_LEVEL: text }).settings.log.level).toBe(level);
  });
});

describe('ADVERTISE_ADDRESS', () => {
  it.each([
    ['10.0.0.1', { host: '10.0.0.1' }],
    ['node-1.example.org:8090', { host: 'node-1.example.org', port: 8090 }],
    ['2001:db8::1', { host: '2001:db8::1' }],
    ['[2001:db8::1]:80', { host: '2001:db8::1', port: 80 }],
  ])('reads %j', (text, advertise) => {
    expect(load({ ADVERTISE_ADDRESS: text }).settings.service.advertise).toEqual(advertise);
  });

  it.each(['http://a', 'a:0', 'a:65536', 'a:b', ':80', '[a]:80', '[::1', 'a:1:2', '1.2.3'])('refuses %j', (text) => {
    expect(problems({ ADVERTISE_ADDRESS: text })).toMatchObject([{ variable: 'ADVERTISE_ADDRESS' }]);
  });
});

describe('PROBE_DENIED_ADDRESSES', () => {
  it('is networks and addresses, parted by commas', () => {
    const text = '10.0.0.0/8, fd00::/8,192.168.1.1,::1,';
    expect(load({ PROBE_DENIED_ADDRESSES: text }).settings.probes.deniedAddresses).toEqual([
      '10.0.0.0/8',
      'fd00::/8',
      '192.168.1.1/32',
      '::1/128',
    ]);
  });

  it.each(['10.0.0.0/33', 'localhost', '10.0.0.0-10.0.0.9', '10.0.0.0/8 10.1.0.0/16'])('refuses %j', (text) => {
    expect(problems({ PROBE_DENIED_ADDRESSES: text })).toHaveLength(1);
  });
});

describe('SERVICE_NAME', () => {
  it('is folded as every service name is', () => {
    expect(load({ SERVICE_NAME: 'Discovery-EU' }).settings.service.name).toBe('discovery-eu');
    expect(problems({ SERVICE_NAME: 'a b' })).toHaveLength(1);
  });
});
