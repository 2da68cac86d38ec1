import { describe, expect, it } from '@jest/globals';
import { Credentials } from './credentials.js';

describe('credentials of replicas', () => {
  const ours = new Credentials('correct horse battery');
  const { authorization } = ours.headersFor('a');

  it('are taken by the one that they are for, where the secret is the same', () => {
    expect(new Credentials('correct horse battery').admits(authorization, 'a')).toBe(true);
  });

  it.each([
    ['another recipient', ours, authorization, 'b'],
    ['another secret', new Credentials('correct horse staples'), authorization, 'a'],
    ['no secret', new Credentials(undefined), authorization, 'a'],
    ['none', ours, '', 'a'],
    ['another scheme', ours, authorization.replace('Replica', 'Bearer'), 'a'],
    ['a part', ours, authorization.slice(0, -2), 'a'],
    ['the secret itself', ours, 'Replica correct horse battery', 'a'],
  ] as const)('are not: %s', (_, credentials, given, recipient) => {
    expect(credentials.admits(given, recipient)).toBe(false);
  });
});
