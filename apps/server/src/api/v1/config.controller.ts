import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ConfigEntry, DocumentKey, JsonObject } from '#core';
import type { Written } from '#configuration';
import { etagOf } from '../../answers/etag.js';
import { actorOf } from '../../auth/caller.js';
import { Needs } from '../../auth/roles.js';
import { ConfigAnswers, etagOfVersion } from '../../configuration/answers.js';
import { Documents } from '../../configuration/documents.js';
import { ApiBody, ApiOperation, ApiTags } from '../../docs/decorators.js';
import { EXACT_BODY } from '../../http/body-size.js';
import { AnswersConfig, AnswersConfigWrite } from '../openapi.js';
import { preconditionOf } from './config-precondition.js';
import { presentDocument, presentResolved, presentVersion } from './presenters/config.js';
import { decodeCursor, encodeCursor } from './presenters/page.js';
import { page, success } from './schemas/answers.js';
import {
  configParam,
  configQuery,
  documentAnswer,
  documentInput,
  resolvedAnswer,
  environmentQuery,
  historyQuery,
  rollbackInput,
  versionAnswer,
} from './schemas/config.js';

@ApiTags('configuration')
@Controller('api/v1/config/:service')
export class ConfigController {
  constructor(
    private readonly documents: Documents,
    private readonly answers: ConfigAnswers,
  ) {}

  @Get()
  @Needs('reader', { service: 'service' })
  @ApiOperation({ operationId: 'getConfig', summary: 'The configuration of a service, the newest version or another' })
  @AnswersConfig(success(z.union([documentAnswer, resolvedAnswer])))
  async get(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: configQuery }) { environment, version, resolved }: z.output<typeof configQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const document = { serviceName, environment };
    if (resolved) {
      const body = { success: true, data: presentResolved(document, this.documents.resolved(document)) };
      this.answers.send(request, reply, etagOf(JSON.stringify(body)), body);
      return;
    }
    const entry = await this.documents.get(document, version);
    this.answers.send(request, reply, etagOfVersion(entry), shown(document, entry));
  }

  @Put()
  @Needs('operator', { service: 'service' })
  @RouteConfig(EXACT_BODY)
  @ApiOperation({ operationId: 'putConfig', summary: 'Configure a service: the body is the whole document' })
  @ApiBody({ required: true })
  @AnswersConfigWrite([200, 201], success(documentAnswer))
  async put(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: environmentQuery }) { environment }: z.output<typeof environmentQuery>,
    @Body({ schema: documentInput }) config: JsonObject,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const document = { serviceName, environment };
    const written = await this.documents.put(document, config, preconditionOf(request), actorOf(request));
    reply.code(written.created ? HttpStatus.CREATED : HttpStatus.OK);
    return this.written(reply, document, written);
  }

  @Delete()
  @Needs('operator', { service: 'service' })
  @ApiOperation({ operationId: 'deleteConfig', summary: 'Delete the document; its versions go on' })
  @AnswersConfigWrite([204], undefined, 404)
  async delete(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: environmentQuery }) { environment }: z.output<typeof environmentQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.documents.delete({ serviceName, environment }, preconditionOf(request), actorOf(request));
    this.answers.setFreshness(reply);
  }

  @Get('history')
  @Needs('reader', { service: 'service' })
  @ApiOperation({ operationId: 'listConfigHistory', summary: 'The versions that are kept, newest first' })
  @AnswersConfig(page(versionAnswer))
  async history(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: historyQuery }) { environment, limit, cursor }: z.output<typeof historyQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const before = cursor === undefined ? undefined : Number(decodeCursor(cursor));
    const versions = await this.documents.history({ serviceName, environment }, limit, before);
    const last = versions.at(-1);
    const more = versions.length === limit && last!.previous > 0;
    const body = {
      success: true,
      data: versions.map(presentVersion),
      page: { next_cursor: more ? encodeCursor(String(last!.version)) : null },
    };
    this.answers.send(request, reply, etagOf(JSON.stringify(body)), body);
  }

  @Post('rollback')
  @Needs('operator', { service: 'service' })
  @ApiOperation({ operationId: 'rollBackConfig', summary: 'Bring back an earlier version, as a new one' })
  @AnswersConfigWrite([200], success(documentAnswer), 404)
  async rollBack(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: environmentQuery }) { environment }: z.output<typeof environmentQuery>,
    @Body({ schema: rollbackInput }) { version }: z.output<typeof rollbackInput>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const document = { serviceName, environment };
    const written = await this.documents.rollBack(document, version, preconditionOf(request), actorOf(request));
    return this.written(reply, document, written);
  }

  private written(reply: FastifyReply, document: DocumentKey, { entry }: Written): object {
    this.answers.setWritten(reply, entry);
    return shown(document, entry);
  }
}

function shown(document: DocumentKey, entry: ConfigEntry): object {
  return { success: true, data: presentDocument(document, entry) };
}
