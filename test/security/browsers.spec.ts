import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { register } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { sendRaw } from '../support/raw.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await register(server.http, { service_name: 'web', id: 'a' });
});
afterAll(() => server.stop());

const ELSEWHERE = { origin: 'https://elsewhere.test' };

/** What is made for this request, and what is ready. */
const PATHS = ['/api/v1/services', '/api/v1/services', '/api/v1/nothing', '/health/live', '/metrics', '/docs-json'];

describe('a browser', () => {
  it('takes every answer for what its type says', async () => {
    for (const path of [...PATHS, '/docs', '/docs/swagger-ui.css', '/%zz']) {
      const { headers } = await server.http.get(path);
      expect({ path, ...headers }).toMatchObject({ path, 'x-content-type-options': 'nosniff' });
    }
    const { headers } = await sendRaw(server.url, 'rubbish\r\n\r\n');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const stream = await fetch(`${server.url}/api/v1/watch/services`);
    expect(stream.headers.get('x-content-type-options')).toBe('nosniff');
    await stream.body?.cancel();
  });

  it('lets no page of another origin read an answer, or ask for more than a form may', async () => {
    for (const path of PATHS) {
      const { headers } = await server.http.get(path, ELSEWHERE);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
    const preflight = { ...ELSEWHERE, 'access-control-request-method': 'POST' };
    const answer = await server.http.send('OPTIONS', '/api/v1/services', { headers: preflight });
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('shows the page of the API in no frame, and runs nothing in it from elsewhere', async () => {
    const { headers } = await server.http.get('/docs');
    expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(headers['x-frame-options']).toBe('DENY');
  });
});
