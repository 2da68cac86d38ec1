import { describe, expect, it } from '@jest/globals';
import type { Logger } from '#core';
import { createLogger, type LoggerOptions } from './index.js';

function logging(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'info', format: 'json', destination, ...options });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogger', () => {
  it('serves as the logger of the libraries', () => {
    const { logger, parsed } = logging();
    const core: Logger = logger;
    core.warn({ instances: 3 }, 'some went away');
    expect(parsed()).toMatchObject([
      { level: 'warn', service: 'service-discovery', instances: 3, msg: 'some went away' },
    ]);
  });

  it('writes ISO times, and the name of the service that it is given', () => {
    const { logger, parsed } = logging({ service: 'discovery-eu' });
    logger.info('hello');
    const [line] = parsed();
    expect(line).toMatchObject({ service: 'discovery-eu' });
    expect(new Date(line!.time as string).toISOString()).toBe(line!.time);
  });

  it('leaves out what is below its level, and everything when it is silent', () => {
    const quiet = logging({ level: 'error' });
    quiet.logger.warn('no');
    quiet.logger.error('yes');
    expect(quiet.parsed()).toMatchObject([{ msg: 'yes' }]);
    const silent = logging({ level: 'silent' });
    silent.logger.fatal('no');
    expect(silent.lines).toEqual([]);
  });

  it.each(['json', 'pretty'] as const)('hides secrets, at any usual depth (%s)', (format) => {
    const { logger, lines } = logging({ format });
    const secrets = { authorization: 'hush', token: 'hush', secret: 'hush', password: 'hush' };
    logger.info({ ...secrets, options: secrets, request: { headers: secrets } }, 'hello');
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('hello');
  });

  it('hides the secrets of an error and of a list, and changes neither', () => {
    const { logger, parsed } = logging();
    const error = Object.assign(new Error('refused'), { status: 401, request: { authorization: 'hush' } });
    const tried = [{ host: 'a', token: 'hush' }];
    logger.error({ err: error, tried }, 'could not');
    expect(parsed()).toMatchObject([
      {
        err: { message: 'refused', status: 401, request: { authorization: '[Redacted]' } },
        tried: [{ host: 'a', token: '[Redacted]' }],
      },
    ]);
    expect([error.request.authorization, tried[0]!.token]).toEqual(['hush', 'hush']);
  });

  it('writes an error with its stack', () => {
    const { logger, parsed } = logging();
    logger.error({ err: new Error('broken') }, 'could not');
    expect(parsed()).toMatchObject([{ err: { message: 'broken', stack: expect.stringContaining('broken') } }]);
  });

  it('writes for people before the call returns', () => {
    const { logger, lines } = logging({ format: 'pretty' });
    logger.info({ instances: 3 }, 'hello');
    expect(lines.join('')).toMatch(/^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] INFO.*hello\n[^]*instances: 3/);
    expect(() => JSON.parse(lines.join('')) as unknown).toThrow();
  });
});
