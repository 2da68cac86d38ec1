import { expect, it } from '@jest/globals';
import { StandardOutput } from './standard-output.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('writes the lines of a turn at once, in their order, and not before its end', async () => {
  const written: string[] = [];
  const output = new StandardOutput((text) => written.push(text));
  output.write('a\n');
  output.write('b\n');
  expect(written).toEqual([]);
  await turn();
  output.write('c\n');
  await turn();
  expect(written).toEqual(['a\nb\n', 'c\n']);
});

it('counts what a full disk has taken, and says so when there is room', async () => {
  let full = true;
  const written: string[] = [];
  const output = new StandardOutput((text) => {
    if (full) throw new Error('ENOSPC');
    written.push(text);
  });
  output.write('a\n');
  output.write('b\n');
  await turn();
  output.write('c\n');
  await turn();
  full = false;
  output.write('d\n');
  await turn();
  expect(written).toEqual([expect.stringMatching(/^\{.*"lost":3\}\nd\n$/)]);
});

it('leaves nothing behind at the process', async () => {
  const before = process.listenerCount('exit');
  const output = new StandardOutput(() => undefined);
  output.write('a\n');
  expect(process.listenerCount('exit')).toBe(before + 1);
  await turn();
  expect(process.listenerCount('exit')).toBe(before);
});
