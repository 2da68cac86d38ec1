import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import { Answers } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RegistryBackend } from '#core';
import { Balancer } from '#balancing';
import type { Seams } from '../../seams.js';
import type { Settings } from '../../settings/index.js';
import { BACKEND, SEAMS, SETTINGS } from '../../tokens.js';
import { served } from '../dialects/index.js';
import { AnswersRead } from '../openapi.js';
import { capabilitiesAnswer, success } from './schemas/answers.js';
import { noQuery } from './schemas/queries.js';

@ApiTags('capabilities')
@Controller('api/v1/capabilities')
export class CapabilitiesController {
  constructor(
    @Inject(BACKEND) private readonly backend: RegistryBackend,
    @Inject(SEAMS) private readonly seams: Seams,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly balancer: Balancer,
    private readonly answers: Answers,
  ) {}

  @Get()
  @Needs('reader')
  @ApiOperation({
    operationId: 'getCapabilities',
    summary: 'What this server can do: its registry, and what is loaded at every seam',
  })
  @AnswersRead(success(capabilitiesAnswer))
  capabilities(
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const { removalCauses, notes, ...rest } = this.backend.capabilities;
    this.answers.sendNow(request, reply, {
      success: true,
      data: {
        backend: { ...rest, removal_causes: removalCauses, notes: [...notes] },
        backends: this.seams.backends.map(({ type, summary }) => ({ name: type, summary })),
        strategies: this.seams.strategies.map(({ name, summary }) => ({ name, summary })),
        default_strategy: this.balancer.defaultStrategy,
        probes: this.seams.probes.map(({ type, summary }) => ({ name: type, summary })),
        authentication_schemes: this.seams.schemes.map(({ name, summary }) => ({ name, summary })),
        dialects: served(this.seams.dialects, this.settings.dialects).map(({ name, summary }) => ({ name, summary })),
      },
    });
  }
}
