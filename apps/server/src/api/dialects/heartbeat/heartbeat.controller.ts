import { Body, Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NO_FILTER, type InstanceFilter } from '#core';
import { Answers } from '../../../answers/answers.js';
import { authorOf } from '../../../auth/caller.js';
import { Needs } from '../../../auth/roles.js';
import { Discovery } from '../../../discovery/discovery.js';
import { ApiOperation, ApiTags } from '../../../docs/decorators.js';
import { Registrations } from '../../../registration/registrations.js';
import type { Settings } from '../../../settings/index.js';
import { SETTINGS } from '../../../tokens.js';
import { AnswersRead, AnswersWrite } from '../../openapi.js';
import { idParam, nameParam } from '../../params.js';
import { AS_IT_IS } from '../words.js';
import { keyOf, presentInstance, registered, wishOf } from './mapper.js';
import {
  beatAnswer,
  beatInput,
  registeredAnswer,
  registerInput,
  serviceAnswer,
  servicesAnswer,
  unregisteredAnswer,
  type BeatInput,
  type RegisterInput,
} from './schemas.js';

const HEALTHY: InstanceFilter = { ...NO_FILTER, healthyOnly: true };

@ApiTags('heartbeat')
@Controller('v1/discovery')
export class HeartbeatDialectController {
  constructor(
    private readonly registrations: Registrations,
    private readonly discovery: Discovery,
    private readonly answers: Answers,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Post('register')
  @Needs('registrar')
  @ApiOperation({ operationId: 'heartbeatRegister', summary: 'Register an instance, which lives by its heartbeats' })
  @AnswersWrite(200, registeredAnswer)
  async register(
    @Body({ schema: registerInput }) input: RegisterInput,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const entry = await this.registrations.register(wishOf(input, this.settings), authorOf(request));
    this.answers.setFreshness(reply);
    return registered(entry, this.settings);
  }

  @Post('heartbeat')
  @Needs('registrar', { routine: true })
  @ApiOperation({ operationId: 'heartbeatBeat', summary: 'It lives; 404: register again' })
  @AnswersWrite(200, beatAnswer, 404)
  async beat(
    @Body({ schema: beatInput }) input: BeatInput,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.registrations.heartbeat(keyOf(input), {}, authorOf(request));
    this.answers.setFreshness(reply);
    return { status: 'ok', service_name: input.service_name, instance_id: input.instance_id };
  }

  @Delete('unregister/:service_name/:instance_id')
  @Needs('registrar', { instancesOf: 'service_name' })
  @ApiOperation({ operationId: 'heartbeatUnregister', summary: 'Deregister an instance; 404 when there is none' })
  @AnswersWrite(200, unregisteredAnswer, 404)
  async unregister(
    @Param('service_name', { schema: nameParam }) serviceName: string,
    @Param('instance_id', { schema: idParam }) serviceId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.registrations.deregister({ serviceName, serviceId }, authorOf(request));
    this.answers.setFreshness(reply);
    return { status: 'unregistered', service_name: serviceName, instance_id: serviceId };
  }

  @Get('services')
  @Needs('reader')
  @ApiOperation({ operationId: 'heartbeatServices', summary: 'Every service with its instances' })
  @AnswersRead(servicesAnswer)
  async services(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness: AS_IT_IS,
      content: () => {
        const services = this.discovery.seenBy(request.caller).services(NO_FILTER, { internal: false });
        return {
          held: services.some(([, entries]) => entries.some(({ hold }) => hold)),
          body: (presentation) => ({
            services: Object.fromEntries(
              services.map(([name, entries]) => [name, entries.map((each) => presentInstance(each, presentation))]),
            ),
          }),
        };
      },
    });
  }

  @Get('services/:service_name')
  @Needs('reader', { instancesOf: 'service_name' })
  @ApiOperation({ operationId: 'heartbeatService', summary: 'The instances of one service' })
  @AnswersRead(serviceAnswer, 404)
  async service(
    @Param('service_name', { schema: nameParam }) name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sendInstances(name, NO_FILTER, request, reply);
  }

  @Get('services/:service_name/healthy')
  @Needs('reader', { instancesOf: 'service_name' })
  @ApiOperation({ operationId: 'heartbeatHealthy', summary: 'Those of its instances that may be called' })
  @AnswersRead(serviceAnswer, 404)
  async healthy(
    @Param('service_name', { schema: nameParam }) name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sendInstances(name, HEALTHY, request, reply);
  }

  private async sendInstances(name: string, filter: InstanceFilter, request: FastifyRequest, reply: FastifyReply) {
    await this.answers.send(request, reply, {
      scope: name,
      freshness: AS_IT_IS,
      content: () => {
        const entries = this.discovery.seenBy(request.caller).entries(name, filter);
        return {
          held: entries.some(({ hold }) => hold),
          body: (presentation) => ({
            service_name: name,
            instances: entries.map((each) => presentInstance(each, presentation)),
          }),
        };
      },
    });
  }
}
