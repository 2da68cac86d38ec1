// A process of its own that starts a server and does not stop it.
import { Server } from './server.js';

const server = await Server.start('sleep', async (folder) => {
  console.log(folder);
  return { program: 'sleep', args: ['600'], address: '', ready: async () => undefined };
});
console.log(server.pid);
