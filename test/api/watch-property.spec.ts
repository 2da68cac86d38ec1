import { afterAll, beforeAll, it } from '@jest/globals';
import { TestServer } from '../support/server.js';
import { watchersAgree } from '../support/watch-property.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

it('whoever comes, goes, stalls and comes back knows what there is', async () => {
  await watchersAgree({ servers: [server] }, 60);
}, 300_000);
