import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { serverProgram } from '../support/build.js';

const DEMO = resolve(import.meta.dirname, '../../dist/demo/main.js');
const MINUTE_MS = 60_000;

/** What a user is to see, in this order. */
const STORY = [
  /"data":\[\]/,
  /Three instances start/,
  /shop-1 {2}127\.0\.0\.1:\d+ {2}passing/,
  /shop-1 {2}#+ 10\n.*shop-2 {2}#+ 10\n.*shop-3 {2}#+ 10/,
  /shop-2 is critical/,
  /shop-1 {2}#+ 15\n.*shop-3 {2}#+ 15/,
  /shop-2 is passing/,
  /shop-3 is warning/,
  /"load_percentage":0\.95.*critical load/,
  /shop-1 is critical/,
  /shop-2 {2}#+ 15\n.*shop-3 {2}#+ 15/,
  /shop-1 is gone/,
  /"cause":"evicted"/,
  /shop-2 {2}127\.0\.0\.1:\d+ {2}maintenance/,
  /shop-3 {2}#+ 30/,
  /all three are back/,
  /shop-1 {2}#+ 10\n.*shop-2 {2}#+ 10\n.*shop-3 {2}#+ 10/,
  /All leave/,
  /"data":\[\]/,
  /the registry ended with code 0/,
];

test(
  'the demo tells its story and ends',
  async () => {
    serverProgram();
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [DEMO, '--fast'], { timeout: MINUTE_MS });
    expect(stderr).toBe('');
    let rest = stdout;
    for (const part of STORY) {
      const found = part.exec(rest);
      expect(found ? 'told' : `${String(part)} in\n${rest}`).toBe('told');
      rest = rest.slice(found!.index + found![0].length);
    }
  },
  MINUTE_MS,
);
