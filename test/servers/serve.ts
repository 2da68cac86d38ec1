import { SERVERS } from './index.js';

// A program: runs a server of the kind that it is given until its parent goes. Tells it the address.

const [name] = process.argv.slice(2);
const kind = SERVERS.find((each) => each.name === name);
if (!kind) throw new Error(`no such kind of server: ${name}; there are ${SERVERS.map((each) => each.name).join(', ')}`);
const server = await kind.start();
process.once('disconnect', () => void server.stop().finally(() => process.exit()));
process.send!({ address: server.address });
