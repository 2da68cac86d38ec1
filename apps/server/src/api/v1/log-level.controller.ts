import { Body, Controller, Get, Inject, Put, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Logger } from '#core';
import { LOG_LEVELS, type LogLevel } from '#telemetry';
import { Answers } from '../../answers/answers.js';
import { actorOf } from '../../auth/caller.js';
import { Needs } from '../../auth/roles.js';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import { LOGGER } from '../../tokens.js';
import { Answers as Documented, AnswersRead } from '../openapi.js';
import { success } from './schemas/answers.js';
import { noQuery } from './schemas/queries.js';

const logLevel = z.object({ level: z.enum(LOG_LEVELS) }).meta({ id: 'LogLevel' });

/** How much this very process logs, until it ends: other replicas, and the next start, go by LOG_LEVEL. */
@ApiTags('own health')
@Controller('api/v1/log-level')
export class LogLevelController {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger & { level: LogLevel },
    private readonly answers: Answers,
  ) {}

  @Get()
  @Needs('admin')
  @ApiOperation({ operationId: 'getLogLevel', summary: 'The least severe level that this process logs' })
  @AnswersRead(success(logLevel))
  read(@Query({ schema: noQuery }) _query: object, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.answers.sendNow(request, reply, { success: true, data: { level: this.logger.level } });
  }

  @Put()
  @Needs('admin')
  @ApiOperation({ operationId: 'setLogLevel', summary: 'Log more or less, until this process ends' })
  @Documented(200, success(logLevel), 413, 415)
  set(
    @Body({ schema: logLevel }) { level }: z.output<typeof logLevel>,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.logger.warn({ before: this.logger.level, now: level, actor: actorOf(request) }, 'log level set');
    this.logger.level = level;
    this.answers.setFreshness(reply);
    return { success: true, data: { level } };
  }
}
