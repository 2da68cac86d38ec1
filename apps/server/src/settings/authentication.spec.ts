import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { AuthenticationModule } from '#core';
import { describeSettings } from './index.js';
import { load, problems, SEAMS } from './testing/seams.js';

function scheme(name: string, options: z.ZodObject): AuthenticationModule {
  const enabled = (values: object) => Object.values(values).some((value) => value !== undefined);
  return { name, summary: '', options, enabled, create: () => Promise.reject(new Error('not here')) };
}

const seams = {
  ...SEAMS,
  schemes: [
    scheme('shared-secret', z.object({ SHARED: z.string().min(4).optional().meta({ secret: true }) })),
    scheme('badge', z.object({ BADGE: z.string().optional(), BADGE_COLOUR: z.string().optional() })),
  ],
};
const read = (environment: Record<string, string>) => load(environment, seams);
const PRODUCTION = { ENVIRONMENT: 'production', REGISTRY_TYPE: 'memory' };

describe('schemes', () => {
  it('are in force when their variables say so, with what their schemas make of them', () => {
    expect(read({ BADGE: 'x' }).settings.authentication.schemes).toEqual([{ name: 'badge', options: { BADGE: 'x' } }]);
    expect(read({}).settings.authentication.schemes).toEqual([]);
  });

  it('report what is wrong with their variables along with all else, without their secrets', () => {
    expect(problems({ SHARED: 'abc', SERVICE_PORT: '-1' }, seams)).toEqual([
      expect.objectContaining({ variable: 'SERVICE_PORT' }),
      { variable: 'SHARED', value: '********', message: expect.any(String) },
    ]);
    expect(describeSettings(read({ SHARED: 'correct horse' }))).toMatch(/SHARED=\*{8} +# from environment/);
  });

  it('have their variables known: none is taken for a misspelt one', () => {
    expect(read({ BADGE: 'x', BADGE_COLOUR: 'red' }).warnings).toEqual([]);
  });
});

describe('whoever brings no credential', () => {
  it.each([
    ['does everything where nothing authenticates', {}, 'admin'],
    ['reads where the shared secret is the only scheme', { SHARED: 'secret' }, 'reader'],
    ['does nothing else', { BADGE: 'x' }, 'none'],
    ['does nothing beside another scheme', { BADGE: 'x', SHARED: 'secret' }, 'none'],
    ['does what the operator says', { BADGE: 'x', ANONYMOUS_ROLE: 'reader' }, 'reader'],
    ['does what the operator says, where nothing authenticates', { ANONYMOUS_ROLE: 'none' }, 'none'],
  ])('%s', (_, environment, role) => {
    expect(read(environment).settings.authentication.anonymousRole).toBe(role);
  });

  it('may write only where that is said at start', () => {
    expect(read({ BADGE: 'x', ANONYMOUS_ROLE: 'registrar' }).warnings).toEqual([
      'ANONYMOUS_ROLE=registrar: everybody who reaches 0.0.0.0 may write',
    ]);
    expect(read({ ANONYMOUS_ROLE: 'reader' }).warnings).toEqual([]);
  });

  it.each([
    [{}, 1],
    [{ BADGE: 'x', ANONYMOUS_ROLE: 'registrar' }, 1],
    [{ BADGE: 'x' }, 0],
    [{ SHARED: 'secret' }, 0],
    [{ ANONYMOUS_ROLE: 'reader' }, 0],
    [{ AUTH_DISABLED: 'true' }, 0],
    [{ SERVICE_HOST: '127.0.0.1' }, 0],
  ])('may not write off loopback in production unless that is meant: %j', (environment, count) => {
    expect(problems({ ...PRODUCTION, ...environment }, seams)).toHaveLength(count);
  });
});

describe('AUTH_DISABLED', () => {
  it.each([{ BADGE: 'x' }, { ANONYMOUS_ROLE: 'reader' }])('contradicts %j', (environment) => {
    expect(problems({ ...environment, AUTH_DISABLED: 'true' }, seams)).toEqual([
      { variable: 'AUTH_DISABLED', value: 'true', message: expect.stringContaining('contradicts') },
    ]);
  });
});
