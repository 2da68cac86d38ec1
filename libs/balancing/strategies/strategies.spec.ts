import { expect, it } from '@jest/globals';
import { strategyContract } from '#core/testing';
import { STRATEGIES } from './index.js';

STRATEGIES.forEach(strategyContract);

it('has one strategy of each name', () => {
  const names = STRATEGIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
