import { describe } from '@jest/globals';
import { temporaryFolder } from '../support/process.js';
import { answersAsMemoryDoes } from '../support/walk.js';

describe('a server with DATA_DIR', () => {
  answersAsMemoryDoes(async () => ({ DATA_DIR: await temporaryFolder() }));
});
