import { parseArgs } from 'node:util';
import { endAll, startServer } from '../bench/processes.js';
import { NAME, Stage } from './stage.js';

// What a user sees of instances that register, send heartbeats and misbehave: about a minute.

const READING_MS = 4_000;

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false } } });

async function play(): Promise<void> {
  console.log('One registry and three instances of a shop, all on 127.0.0.1. Nothing is left behind.');
  const server = await startServer();
  const stage = new Stage(server, values.fast ? 0 : READING_MS);

  await stage.scene('The registry runs, and nobody is there');
  await stage.curl('/api/v1/services');

  await stage.scene('Three instances start; each registers itself, to be checked every second');
  for (const id of ['shop-1', 'shop-2', 'shop-3']) await stage.start(id);
  await stage.instances();

  await stage.scene('Who is to be called? One healthy instance at a time, in turn');
  await stage.picks();

  await stage.scene('shop-2 hangs: it still sends heartbeats, but does not answer its check in time');
  stage.tell('shop-2', 'hanging');
  await stage.until('shop-2', 'critical');
  stage.say('Nobody is sent there any more:');
  await stage.picks();

  await stage.scene('shop-2 has caught itself');
  stage.tell('shop-2', 'well');
  await stage.until('shop-2', 'passing');
  await stage.picks();

  await stage.scene('shop-3 is overloaded: it answers its check with 429, and says how loaded it is');
  stage.tell('shop-3', 'busy');
  await stage.until('shop-3', 'warning');
  await stage.logged('critical load');
  stage.say('It works, so it stays in rotation; who asks by health sends it less:');
  await stage.picks('?strategy=health_based');
  stage.tell('shop-3', 'well');
  await stage.until('shop-3', 'passing');

  await stage.scene('shop-1 dies without a word (kill -9)');
  await stage.kill('shop-1');
  await stage.until('shop-1', 'critical');
  await stage.picks();
  await stage.until('shop-1', undefined);
  await stage.logged('instance evicted');

  await stage.scene('An operator takes shop-2 out of rotation, and puts it back');
  const maintenance = `/api/v1/services/${NAME}/instances/shop-2/maintenance`;
  await stage.curl(`${maintenance}?reason=upgrade`, 'PUT');
  await stage.instances();
  await stage.picks();
  await stage.curl(maintenance, 'DELETE');

  await stage.scene('shop-1 starts again and registers: all three are back');
  await stage.start('shop-1');
  await stage.instances();
  await stage.picks();

  await stage.scene('All leave: the instances deregister, the registry stops');
  await stage.dismiss();
  await stage.curl('/api/v1/services');
  await server.stop();
  stage.say(`the registry ended with code ${server.child.exitCode}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}
try {
  await play();
} finally {
  await endAll();
}
