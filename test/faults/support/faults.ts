import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.js';
import { preload } from './preload.js';

// What can befall any registry.

/** The process dies and comes back with its data. */
export const KILLED: Fault = {
  name: 'killed and restarted',
  ms: 5_000,
  outage: true,
  begin: ({ subject }) => subject.kill(),
  end: ({ subject }) => subject.restart(),
};

/** Its sockets stay open, and nobody answers, for longer than every TTL. */
export const FROZEN: Fault = {
  name: 'frozen for 20 s',
  ms: 20_000,
  outage: true,
  ttl: 10,
  begin: ({ subject }) => subject.suspend(),
  end: ({ subject }) => subject.resume(),
};

export const CUT: Fault = {
  name: 'cut off while others write',
  ms: 5_000,
  outage: true,
  begin: ({ way }) => way.cut(),
  meanwhile: (trial) => trial.others.change(),
  end: ({ way }) => way.mend(),
};

export const SLOW: Fault = {
  name: '200 ms away',
  ms: 5_000,
  outage: false,
  begin: ({ way }) => way.delay(200),
  meanwhile: (trial) => trial.others.change(),
  end: ({ way }) => way.mend(),
};

export const FORGOTTEN: Fault = {
  name: 'restarted empty',
  ms: 3_000,
  outage: true,
  loses: 'everything',
  begin: ({ subject }) => subject.forget(),
  end: ({ subject }) => subject.restart(),
};

/** By default the hold lasts for a minute. */
export const FORGOTTEN_AND_HELD: Fault = {
  ...FORGOTTEN,
  name: 'restarted empty, losses held',
  hold: process.env.SOAK ? 60 : 10,
};

/** The registry lives on, and nobody speaks to it for longer than every TTL. */
export const ALONE: Fault = {
  name: 'server down for 15 s',
  ms: 15_000,
  outage: false,
  ttl: 10,
  down: true,
  begin: (trial) => trial.killServers(),
  end: (trial) => trial.startServers(),
};

/** That of the server's host: an hour ahead, then an hour behind. */
export const JUMPS: Fault = {
  name: 'clock set forward and back',
  ms: 4_000,
  outage: false,
  environment: preload('jump.mjs'),
  begin: ({ server }) => server.process.signal('SIGUSR2'),
  meanwhile: async (trial) => {
    await trial.others.change();
    await sleep(2_000);
    trial.server.process.signal('SIGUSR2');
  },
  end: () => undefined,
};
