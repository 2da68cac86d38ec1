import { describe, expect, it } from '@jest/globals';
import { describeSettings, settingsReference } from './index.js';
import { load, problems, SEAMS } from './testing/seams.js';

function lines(environment: Record<string, string>): string[] {
  return describeSettings(load(environment))
    .split('\n')
    .map((line) => line.replace(/ {2,}/, '  '));
}

describe('describeSettings', () => {
  it('says of every value where it came from', () => {
    const environment = { SERVICE_PORT: '9000', SERVICE_DISCOVERY_MODE: 'hybrid', TRACING_ENABLED: 'no' };
    expect(lines(environment)).toEqual(
      expect.arrayContaining([
        'SERVICE_PORT=9000  # from environment',
        'REGISTRY_TYPE=redis  # from alias SERVICE_DISCOVERY_MODE',
        'HEALTH_CHECK_INTERVAL=10  # from profile development',
        'SERVICE_HOST=0.0.0.0  # from default',
        'ADVERTISE_ADDRESS=  # not set',
        'TRACING_ENABLED=no  # from environment',
      ]),
    );
  });

  it('shows a default that gave way', () => {
    expect(lines({ SERVICE_TTL: '60' })).toContain(
      'HEARTBEAT_INTERVAL=30s  # from default, lowered to half of SERVICE_TTL',
    );
  });

  it("shows the chosen backend's options, and no secret", () => {
    const shown = lines({ REGISTRY_TYPE: 'redis', REDIS_PASSWORD: 'correct horse' });
    expect(shown).toEqual(
      expect.arrayContaining([
        'REDIS_URL=redis://localhost  # from default',
        'REDIS_PASSWORD=********  # from environment',
        'REDIS_PORT=6379  # from default',
      ]),
    );
    expect(shown.join('\n')).not.toMatch(/correct horse|MEMORY_SIZE|SERVICE_DISCOVERY_SECRET/);
  });

  it('masks the password in a URL, well formed or not', () => {
    const shown = lines({ REGISTRY_TYPE: 'redis', REDIS_URL: 'redis://user:correct@r:1/2' });
    expect(shown).toContain('REDIS_URL=redis://user:********@r:1/2  # from environment');
    const [problem] = problems({ REGISTRY_TYPE: 'redis', REDIS_URL: 'redis://user:correct/h@rse@r:1' });
    expect(problem?.value).toBe('redis://user:********@r:1');
  });

  it('keeps a line a line', () => {
    expect(lines({ DATA_DIR: 'a\nSERVICE_PORT=1' })).toContain('DATA_DIR="a\\nSERVICE_PORT=1"  # from environment');
  });

  it('is aligned', () => {
    const columns = describeSettings(load({ ANONYMOUS_ROLE: 'none' }))
      .split('\n')
      .map((line) => line.indexOf('# '));
    expect(new Set(columns).size).toBe(1);
  });
});

describe('settingsReference', () => {
  const reference = settingsReference(SEAMS);

  it('has a row for every variable, with its defaults and aliases', () => {
    expect(reference).toContain(
      '| `HEALTH_CHECK_INTERVAL` | `30` | development `10`, test `1` | `HEALTH_CHECK_INTERVAL_SECONDS`, `SERVICE_DISCOVERY_HEALTH_CHECK_INTERVAL` |',
    );
    for (const { name } of load({}).variables) expect(reference).toContain(`| \`${name}\` |`);
    expect(reference).toContain('| `REDIS_PASSWORD` |  |  |  | redis: its password (secret) |');
    expect(reference).toContain('| `DATABASE_URL` |');
  });

  it('is a table: as many cells in every row, and a word on each', () => {
    const rows = reference.split('\n').map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([7]));
    expect(rows.filter((cells) => cells[5] === '')).toEqual([]);
  });
});
