import { Body, Controller, Delete, Get, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { keyOf, NO_FILTER, type InstanceFilter } from '#core';
import { Answers } from '../../../answers/answers.js';
import { authorOf } from '../../../auth/caller.js';
import { Needs } from '../../../auth/roles.js';
import { Discovery } from '../../../discovery/discovery.js';
import { ApiOperation, ApiTags } from '../../../docs/decorators.js';
import { Registrations } from '../../../registration/registrations.js';
import { Sightings } from '../../../replica/sightings.js';
import { AnswersPick, AnswersRead, AnswersWrite } from '../../openapi.js';
import { idParam, nameParam, tagParam } from '../../params.js';
import { AS_IT_IS, isoTime } from '../words.js';
import { presentHealth, presentPlace, presentService, registered, representative, wishOf } from './mapper.js';
import {
  aggregatedAnswer,
  deregisteredAnswer,
  placeAnswer,
  registeredAnswer,
  registerInput,
  servicesAnswer,
  type RegisterInput,
} from './schemas.js';

const NOBODY: ReadonlySet<string> = new Set();

@ApiTags('gateway-replacement')
@Controller('service-discovery')
export class GatewayReplacementController {
  constructor(
    private readonly registrations: Registrations,
    private readonly discovery: Discovery,
    private readonly sightings: Sightings,
    private readonly answers: Answers,
  ) {}

  @Post('register')
  @Needs('registrar')
  @ApiOperation({ operationId: 'gatewayRegister', summary: 'Register a service at a base URL' })
  @AnswersWrite(200, registeredAnswer)
  async register(
    @Body({ schema: registerInput }) input: RegisterInput,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const entry = await this.registrations.register(wishOf(input), authorOf(request));
    this.answers.setFreshness(reply);
    return registered(entry);
  }

  @Delete('deregister/:service_name/:service_id')
  @Needs('registrar', { instancesOf: 'service_name' })
  @ApiOperation({ operationId: 'gatewayDeregister', summary: 'Deregister; 404 when there is none' })
  @AnswersWrite(200, deregisteredAnswer, 404)
  async deregister(
    @Param('service_name', { schema: nameParam }) serviceName: string,
    @Param('service_id', { schema: idParam }) serviceId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.registrations.deregister({ serviceName, serviceId }, authorOf(request));
    this.answers.setFreshness(reply);
    return { status: 'deregistered', service_name: serviceName, service_id: serviceId };
  }

  @Get('discover/:service_name')
  @Needs('reader', { instancesOf: 'service_name' })
  @ApiOperation({ operationId: 'gatewayDiscover', summary: 'Where to call a service: one healthy instance, balanced' })
  @AnswersPick(placeAnswer, 404)
  discover(
    @Param('service_name', { schema: nameParam }) name: string,
    @Req() { ip, caller }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.answers.requireView();
    const { instance } = this.discovery.seenBy(caller).pick(name, { filter: NO_FILTER, exclude: NOBODY, hashKey: ip });
    this.answers.setFreshness(reply);
    reply.header('Cache-Control', 'no-store');
    return presentPlace(instance);
  }

  @Get('health/aggregated')
  @Needs('reader')
  @ApiOperation({ operationId: 'gatewayHealth', summary: 'How every service is, with what it says of itself' })
  @AnswersRead(aggregatedAnswer)
  async aggregated(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness: AS_IT_IS,
      content: async () => {
        const shown = this.discovery
          .seenBy(request.caller)
          .services(NO_FILTER, { internal: false })
          .map(([name, entries]) => [name, representative(entries)] as const);
        const findings = await Promise.all(shown.map(([, { instance }]) => this.sightings.gather(keyOf(instance))));
        return {
          held: shown.some(([, { hold }]) => hold),
          body: (presentation) => ({
            ...this.discovery.seenBy(request.caller).summary(),
            timestamp: isoTime(presentation.vitals ? Date.now() : 0),
            services: Object.fromEntries(
              shown.map(([name, entry], i) => [name, presentHealth(entry, findings[i]!(entry), presentation)]),
            ),
          }),
        };
      },
    });
  }

  @Get('services')
  @Needs('reader')
  @ApiOperation({ operationId: 'gatewayServices', summary: 'Every service with its base URL' })
  @AnswersRead(servicesAnswer)
  async services(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.sendServices(NO_FILTER, request, reply);
  }

  @Get('services/healthy')
  @Needs('reader')
  @ApiOperation({ operationId: 'gatewayHealthyServices', summary: 'Services that may be called' })
  @AnswersRead(servicesAnswer)
  async healthy(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.sendServices({ ...NO_FILTER, healthyOnly: true }, request, reply);
  }

  @Get('services/by-tag/:tag')
  @Needs('reader')
  @ApiOperation({ operationId: 'gatewayServicesByTag', summary: 'Services that have an instance with this tag' })
  @AnswersRead(servicesAnswer)
  async byTag(
    @Param('tag', { schema: tagParam }) tag: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sendServices({ ...NO_FILTER, tags: [tag] }, request, reply);
  }

  private async sendServices(filter: InstanceFilter, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness: AS_IT_IS,
      content: () => {
        const services = this.discovery
          .seenBy(request.caller)
          .services(filter, { internal: false })
          .map(([, entries]) => representative(entries));
        return {
          held: services.some(({ hold }) => hold),
          settled: true,
          body: () => ({ services: services.map(presentService) }),
        };
      },
    });
  }
}
