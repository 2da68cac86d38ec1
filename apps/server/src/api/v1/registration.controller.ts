import { Body, Controller, Delete, Param, Patch, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { CatalogEntry } from '#catalog';
import { Answers as Freshness } from '../../answers/answers.js';
import { authorOf, type Author } from '../../auth/caller.js';
import { Needs } from '../../auth/roles.js';
import { notFound, Problem, toProblem, badRequest } from '../../http/problem.js';
import { toInputIssues } from '../../http/schema.pipe.js';
import { Discovery } from '../../discovery/discovery.js';
import { Registrations } from '../../registration/registrations.js';
import { AnswersWrite, TakesIfMatch } from '../openapi.js';
import { heartbeatOf, patchOf, wishOf } from './mapper.js';
import { ifMatch } from './precondition.js';
import { presentInstance } from './presenters/instance.js';
import { batchItemAnswer, instanceAnswer, success } from './schemas/answers.js';
import { idParam, nameParam } from '../params.js';
import { maintenanceQuery, noQuery, ofServiceQuery } from './schemas/queries.js';
import { registrationInput, type RegistrationInput } from './schemas/registration.js';
import { batchInput, heartbeatInput, patchInput, type HeartbeatInput, type PatchInput } from './schemas/writes.js';

/** Of a batch, this many are on their way to the registry at once. */
const BATCH_CONCURRENCY = 64;

@ApiTags('registration')
@Controller('api/v1')
export class RegistrationController {
  constructor(
    private readonly registrations: Registrations,
    private readonly discovery: Discovery,
    private readonly freshness: Freshness,
  ) {}

  @Post(['services', 'register'])
  @Needs('registrar')
  @ApiOperation({ operationId: 'register', summary: 'Register an instance, or replace it' })
  @AnswersWrite(201, success(instanceAnswer))
  async register(
    @Body({ schema: registrationInput }) input: RegistrationInput,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const entry = await this.registrations.register(wishOf(input), authorOf(request));
    return this.written(reply, entry, 'registered');
  }

  @Post('services/batch')
  @Needs('registrar')
  @ApiOperation({ operationId: 'registerBatch', summary: 'Register many: each succeeds or fails by itself' })
  @AnswersWrite(200, success(batchItemAnswer.array()))
  async registerBatch(
    @Body({ schema: batchInput }) items: z.output<typeof batchInput>,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const author = authorOf(request);
    const results: object[] = [];
    for (let begin = 0; begin < items.length; begin += BATCH_CONCURRENCY) {
      const part = items.slice(begin, begin + BATCH_CONCURRENCY);
      const done = part.map((item, i) => this.registerItem(item, begin + i, author));
      results.push(...(await Promise.all(done)));
    }
    this.freshness.setFreshness(reply);
    return { success: true, data: results };
  }

  @Put('services/:name/instances/:id/heartbeat')
  @Needs('registrar', { instancesOf: 'name', routine: true })
  @ApiOperation({ operationId: 'heartbeat', summary: 'Renew the lease; 404: register again' })
  @AnswersWrite(200, success(instanceAnswer), 404)
  @ApiBody({ required: false })
  async heartbeat(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Param('id', { schema: idParam }) serviceId: string,
    @Body({ schema: heartbeatInput }) input: HeartbeatInput,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const entry = await this.registrations.heartbeat({ serviceName, serviceId }, heartbeatOf(input), authorOf(request));
    return this.written(reply, entry);
  }

  @Patch('services/:name/instances/:id')
  @Needs('registrar', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'patchInstance', summary: 'Change tags, metadata or weight' })
  @AnswersWrite(200, success(instanceAnswer), 404, 412)
  @TakesIfMatch()
  async patch(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Param('id', { schema: idParam }) serviceId: string,
    @Body({ schema: patchInput }) input: PatchInput,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const key = { serviceName, serviceId };
    const entry = await ifMatch(request, this.discovery.catalog, key, (ifVersion) =>
      this.registrations.patch(key, patchOf(input), authorOf(request), ifVersion),
    );
    return this.written(reply, entry);
  }

  @Put('services/:name/instances/:id/maintenance')
  @Needs('operator', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'startMaintenance', summary: 'Take an instance out of rotation' })
  @AnswersWrite(200, success(instanceAnswer), 404, 412)
  @TakesIfMatch()
  async startMaintenance(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Param('id', { schema: idParam }) serviceId: string,
    @Query({ schema: maintenanceQuery }) { reason = '' }: z.output<typeof maintenanceQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const key = { serviceName, serviceId };
    const entry = await ifMatch(request, this.discovery.catalog, key, (ifVersion) =>
      this.registrations.setMaintenance(key, reason, authorOf(request), ifVersion),
    );
    return this.written(reply, entry);
  }

  @Delete('services/:name/instances/:id/maintenance')
  @Needs('operator', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'endMaintenance', summary: 'Put an instance back into rotation' })
  @AnswersWrite(200, success(instanceAnswer), 404, 412)
  @TakesIfMatch()
  async endMaintenance(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Param('id', { schema: idParam }) serviceId: string,
    @Query({ schema: maintenanceQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const key = { serviceName, serviceId };
    const entry = await ifMatch(request, this.discovery.catalog, key, (ifVersion) =>
      this.registrations.setMaintenance(key, undefined, authorOf(request), ifVersion),
    );
    return this.written(reply, entry);
  }

  @Delete('services/:name/instances/:id')
  @Needs('registrar', { instancesOf: 'name' })
  @ApiOperation({
    operationId: 'deregister',
    summary: 'Deregister an instance; a second time is 404, which a client counts as success',
  })
  @AnswersWrite(204, undefined, 404, 412)
  @TakesIfMatch()
  async deregister(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Param('id', { schema: idParam }) serviceId: string,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const key = { serviceName, serviceId };
    await ifMatch(request, this.discovery.catalog, key, (ifVersion) =>
      this.registrations.deregister(key, authorOf(request), ifVersion),
    );
    this.freshness.setFreshness(reply);
  }

  @Delete('deregister/:service_id')
  @Needs('registrar')
  @ApiOperation({
    operationId: 'deregisterById',
    summary: 'Deregister by id alone; 409 with the candidates when it is not unique',
  })
  @AnswersWrite(204, undefined, 404)
  async deregisterById(
    @Param('service_id', { schema: idParam }) serviceId: string,
    @Query({ schema: ofServiceQuery }) { service }: z.output<typeof ofServiceQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    this.freshness.requireView();
    const seen = this.discovery.seenBy(request.caller);
    let entry = seen.entryById(serviceId, service);
    if (!entry) {
      // A 404 counts as success: it must not be said of what another replica has just registered.
      await this.discovery.catalog.refresh();
      entry = seen.entryById(serviceId, service);
    }
    if (!entry) throw notFound(`there is no instance ${serviceId} now`, 'INSTANCE_NOT_FOUND');
    await this.registrations.deregister(entry.instance, authorOf(request));
    this.freshness.setFreshness(reply);
  }

  private async registerItem(item: unknown, index: number, author: Author): Promise<object> {
    try {
      const parsed = registrationInput.safeParse(item);
      if (!parsed.success) throw badRequest('the registration is not valid', toInputIssues(parsed.error.issues));
      const entry = await this.registrations.register(wishOf(parsed.data), author);
      return { index, status: 201, instance: presentInstance(entry, { vitals: true }) };
    } catch (error) {
      const problem: Problem = toProblem(error);
      return { index, status: problem.status, problem: problem.body(`/api/v1/services/batch#${index}`) };
    }
  }

  private written(reply: FastifyReply, entry: CatalogEntry, message?: string) {
    this.freshness.setFreshness(reply);
    return { success: true, data: presentInstance(entry, { vitals: true }), ...(message && { message }) };
  }
}
