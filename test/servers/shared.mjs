// For jest's globalSetup and globalTeardown: the server that the suites of one backend share.
import '../support/typescript.mjs';

const started = [];

/** Unless the environment names one. Suites find its address there. */
export async function startShared(name) {
  const { SERVERS } = await import('./index.ts');
  const kind = SERVERS.find((each) => each.name === name);
  if (process.env[kind.variable] !== undefined) return;
  const server = await kind.start();
  started.push(server);
  process.env[kind.variable] = server.address;
}

export async function stopShared() {
  await Promise.all(started.splice(0).map((server) => server.stop()));
}
