import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../../auth/roles.js';
import type { RegistryBackend } from '#core';
import { Balancer } from '#balancing';
import type { Seams } from '../../seams.js';
import { BACKEND, SEAMS } from '../../tokens.js';
import { Answers } from '../openapi.js';
import { capabilitiesAnswer, success } from './schemas/answers.js';
import { noQuery } from './schemas/queries.js';

@ApiTags('capabilities')
@Controller('api/v1/capabilities')
export class CapabilitiesController {
  constructor(
    @Inject(BACKEND) private readonly backend: RegistryBackend,
    @Inject(SEAMS) private readonly seams: Seams,
    private readonly balancer: Balancer,
  ) {}

  @Get()
  @Needs('reader')
  @ApiOperation({ summary: 'What this server can do: its registry, and what is loaded at every seam' })
  @Answers(200, success(capabilitiesAnswer))
  capabilities(@Query({ schema: noQuery }) _query: object) {
    const { removalCauses, notes, ...rest } = this.backend.capabilities;
    return {
      success: true,
      data: {
        backend: { ...rest, removal_causes: removalCauses, notes: [...notes] },
        backends: this.seams.backends.map(({ type, summary }) => ({ name: type, summary })),
        strategies: this.seams.strategies.map(({ name, summary }) => ({ name, summary })),
        default_strategy: this.balancer.defaultStrategy,
        probes: this.seams.probes.map(({ type, summary }) => ({ name: type, summary })),
        authentication_schemes: [],
        dialects: [],
      },
    };
  }
}
