// npm run servers: puts every program that tests start servers from into the cache.
import { performance } from 'node:perf_hooks';
import { SERVERS } from './index.js';

const programs = new Set(SERVERS.flatMap((kind) => kind.programs));
for (const program of programs) {
  const say = (what: string) => console.log(`${program.name} ${program.version}: ${what}`);
  if (program.find() === undefined) {
    const start = performance.now();
    try {
      await program.prepare(say);
      say(`ready after ${Math.round((performance.now() - start) / 1_000)} s`);
    } catch (error) {
      say((error as Error).message);
      process.exitCode = 1;
      continue;
    }
  }
  say(`${program.find()}`);
}
