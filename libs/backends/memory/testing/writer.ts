import { durable } from './durable.js';

// A child process that writes as fast as it can, says on its standard output what was acknowledged, and
// waits to be killed: node … writer.ts DATA_DIR NAME

const [, , dataDir, name] = process.argv as [string, string, string, string];
const CONCURRENT = 64;
const actor = 'writer';
/** Large enough for LevelDB to rotate its log and to compact within a second. */
const metadata = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`key-${i}`, `${i}`.repeat(512)]));

const backend = durable(dataDir);
const { registrar } = backend;

/** Each instance stays, is changed, or goes again. */
async function write(serviceId: string, turn: number): Promise<void> {
  const key = { serviceName: 'api', serviceId };
  await registrar.register({ ...key, address: '10.0.0.1', port: 8080, tags: [], metadata }, { actor });
  console.log(`registered ${serviceId}`);
  if (turn % 3 === 1) {
    await registrar.update(key, { kind: 'patch', tags: ['changed'] }, { actor });
    console.log(`changed ${serviceId}`);
  }
  if (turn % 3 === 2) {
    console.log(`leaving ${serviceId}`);
    await registrar.deregister(key, { actor, cause: 'deregistered' });
    console.log(`left ${serviceId}`);
  }
}

await backend.start();
console.log('started');
await Promise.all(
  Array.from({ length: CONCURRENT }, async (_, lane) => {
    for (let turn = 0; ; turn++) await write(`${name}-${lane}-${turn}`, turn);
  }),
);
