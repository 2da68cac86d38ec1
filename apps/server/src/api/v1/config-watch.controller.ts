import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Needs } from '../../auth/roles.js';
import { ConfigWatch } from '../../configuration/config-watch.js';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import { EVENT_STREAM, Reception } from '../../streams/index.js';
import { AnswersStream } from '../openapi.js';
import { configParam, configWatchQuery } from './schemas/config.js';

/** Of a version that nobody can have: whoever comes with it has to begin anew. */
const NOWHERE = -1;

@ApiTags('configuration')
@Controller('api/v1/config/watch')
export class ConfigWatchController {
  constructor(
    private readonly watch: ConfigWatch,
    private readonly reception: Reception,
  ) {}

  @Get(':service')
  @Needs('reader', { service: 'service' })
  @RouteConfig({ produces: EVENT_STREAM })
  @ApiOperation({ operationId: 'watchConfig', summary: 'The document, or that there is none; then each version' })
  @AnswersStream(501)
  follow(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: configWatchQuery }) { environment, since, ticket }: z.output<typeof configWatchQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const document = { serviceName, environment };
    this.watch.check(document);
    const channel = this.reception.receive(request, reply, ticket);
    if (channel) this.watch.follow(channel, document, lastEventOf(request) ?? since);
  }
}

function lastEventOf({ headers }: FastifyRequest): number | undefined {
  const id = headers['last-event-id'];
  if (typeof id !== 'string' || id === '') return undefined;
  return /^\d{1,15}$/.test(id) ? Number(id) : NOWHERE;
}
