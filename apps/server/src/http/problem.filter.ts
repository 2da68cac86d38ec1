import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#core';
import { toProblem } from './problem.js';

/** Answers with what an error comes to, and logs what was our own fault. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  // Nobody is there to be told, and a caller that hangs up is no fault of ours.
  if (request.raw.socket.destroyed) {
    reply.hijack();
    return;
  }
  const problem = toProblem(error);
  if (problem.status === 500)
    logger.error({ err: error, request_id: request.id, method: request.method, url: request.url }, 'a request failed');
  const [path = ''] = request.url.split('?');
  // Fastify would cut a sender that is still at it, who then might never read what was wrong. What it goes on to
  // send is dropped, for as long as a request may take. Where we end connections ourselves, this one ends too.
  const ours = reply.raw.getHeader('connection');
  reply.removeHeader('connection');
  if (ours !== undefined) reply.raw.setHeader('connection', ours);
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem.body(path)));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest(), http.getResponse(), this.logger);
  }
}
