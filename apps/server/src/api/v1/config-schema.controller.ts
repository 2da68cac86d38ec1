import { Body, Controller, Delete, Get, HttpStatus, Param, Put, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '#core';
import { actorOf } from '../../auth/caller.js';
import { Needs } from '../../auth/roles.js';
import { ConfigAnswers, etagOfVersion } from '../../configuration/answers.js';
import { Documents } from '../../configuration/documents.js';
import { ApiBody, ApiOperation, ApiTags } from '../../docs/decorators.js';
import { EXACT_BODY } from '../../http/body-size.js';
import { AnswersConfig, AnswersConfigWrite } from '../openapi.js';
import { preconditionOf } from './config-precondition.js';
import { presentSchema } from './presenters/config.js';
import { success } from './schemas/answers.js';
import { configParam, documentInput, schemaAnswer } from './schemas/config.js';
import { noQuery } from './schemas/queries.js';

/** What the configuration of a service must look like, whatever the environment. */
@ApiTags('configuration')
@Controller('api/v1/config/:service/schema')
export class ConfigSchemaController {
  constructor(
    private readonly documents: Documents,
    private readonly answers: ConfigAnswers,
  ) {}

  @Get()
  @Needs('reader', { service: 'service' })
  @ApiOperation({ operationId: 'getConfigSchema', summary: 'The JSON Schema that the configuration is held to' })
  @AnswersConfig(success(schemaAnswer))
  get(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const entry = this.documents.schema(serviceName);
    const body = { success: true, data: presentSchema(serviceName, entry) };
    this.answers.send(request, reply, etagOfVersion(entry), body);
  }

  @Put()
  @Needs('operator', { service: 'service' })
  @RouteConfig(EXACT_BODY)
  @ApiOperation({ operationId: 'putConfigSchema', summary: 'Hold what is put from now on to a JSON Schema' })
  @ApiBody({ required: true })
  @AnswersConfigWrite([200, 201], success(schemaAnswer))
  async put(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: documentInput }) schema: JsonObject,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const precondition = preconditionOf(request);
    const { entry, created } = await this.documents.putSchema(serviceName, schema, precondition, actorOf(request));
    reply.code(created ? HttpStatus.CREATED : HttpStatus.OK);
    this.answers.setWritten(reply, entry);
    return { success: true, data: presentSchema(serviceName, entry) };
  }

  @Delete()
  @Needs('operator', { service: 'service' })
  @ApiOperation({ operationId: 'deleteConfigSchema', summary: 'Take any configuration again' })
  @AnswersConfigWrite([204], undefined, 404)
  async delete(
    @Param('service', { schema: configParam }) serviceName: string,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.documents.deleteSchema(serviceName, preconditionOf(request), actorOf(request));
    this.answers.setFreshness(reply);
  }
}
