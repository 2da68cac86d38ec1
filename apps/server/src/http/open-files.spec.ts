import { expect, it } from '@jest/globals';
import { connectionLimit } from './open-files.js';

it.each([
  [{ maxWaiters: 10_000 }, Infinity, 25_000, undefined],
  [{ maxWaiters: 10_000 }, 20_000, 17_500, undefined],
  [{ maxWaiters: 10_000 }, 1_024, 768, 'MAX_WAITERS=10000'],
  [{ maxWaiters: 500 }, 1_024, 768, undefined],
  [{ maxWaiters: 10_000, maxConnections: 30_000 }, 65_536, 30_000, undefined],
  [{ maxWaiters: 10_000, maxConnections: 30_000 }, 20_000, 17_500, 'MAX_CONNECTIONS=30000'],
  [{ maxWaiters: 10_000, maxConnections: 100 }, 1_024, 100, undefined],
])('%j and %d open files are %d connections', (settings, files, max, complaint) => {
  const limit = connectionLimit(settings, files);
  expect(limit.max).toBe(max);
  if (complaint === undefined) expect(limit).not.toHaveProperty('warning');
  else expect(limit.warning).toContain(complaint);
});
