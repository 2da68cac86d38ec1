import { expect } from '@jest/globals';
import type { Answer, Problem } from './http-client.js';

/** Every failure has this form, whoever found it: the router, the parser, a schema or the registry. */
export function expectProblem(answer: Answer, status: number, code?: string): Problem {
  expect({ status: answer.status, type: answer.type }).toEqual({ status, type: 'application/problem+json' });
  const { problem } = answer;
  const known = code ?? problem.code;
  expect(problem).toMatchObject({
    success: false,
    type: `urn:service-discovery:problem:${known.toLowerCase().replaceAll('_', '-')}`,
    title: expect.any(String),
    status,
    code: known,
    detail: expect.any(String),
    instance: expect.any(String),
  });
  expect(answer.text).not.toMatch(/\bat .*[.(](?:ts|js):\d+|node_modules|node:internal/);
  return problem;
}

/** A 400 which names the place. */
export function expectBadInput(answer: Answer, path: string): Problem {
  const problem = expectProblem(answer, 400);
  expect(problem.errors?.map((each) => each.path)).toContain(path);
  return problem;
}
