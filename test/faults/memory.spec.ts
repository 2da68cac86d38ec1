import { rename } from 'node:fs/promises';
import type { Fault } from './support/fault.js';
import { ALONE, JUMPS } from './support/faults.js';
import type { Subject } from './support/subject.js';
import { faultsOf } from './support/suite.js';

/** The registry is the server: what befalls one befalls the other. */
const KILLED: Fault = { ...ALONE, name: 'killed and restarted', ms: 0 };

/** What nobody can write down is in the view already, and on disk when there is one again. */
const WITHOUT_DISK: Fault = {
  name: '`DATA_DIR` taken away',
  ms: 5_000,
  outage: false,
  readOnly: true,
  complaint: 'could not write to the data directory; will try again',
  begin: ({ dataDir }) => rename(dataDir, `${dataDir}.away`),
  end: ({ dataDir }) => rename(`${dataDir}.away`, dataDir),
};

const nothing = () => Promise.resolve();
const memory: Subject = {
  port: 0,
  alone: true,
  environment: () => ({ REGISTRY_TYPE: 'memory' }),
  ...{ kill: nothing, forget: nothing, restart: nothing, suspend: nothing, resume: () => undefined, stop: nothing },
};

faultsOf(
  { name: 'memory', programs: [] },
  {
    start: async () => memory,
    apart: [KILLED, ALONE, JUMPS, WITHOUT_DISK],
    together: [],
    walk: true,
  },
);
