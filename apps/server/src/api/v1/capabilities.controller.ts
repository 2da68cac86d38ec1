import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../../auth/roles.js';
import { Seams } from '../../seams.js';
import { Answers } from '../openapi.js';
import { capabilitiesAnswer, success } from './schemas/answers.js';
import { noQuery } from './schemas/queries.js';

@ApiTags('capabilities')
@Controller('api/v1/capabilities')
export class CapabilitiesController {
  constructor(private readonly seams: Seams) {}

  @Get()
  @Needs('reader')
  @ApiOperation({ summary: 'What this server can do: its registry, and what is loaded at every seam' })
  @Answers(200, success(capabilitiesAnswer))
  capabilities(@Query({ schema: noQuery }) _query: object) {
    const { capabilities: backend } = this.seams.backend;
    const { removalCauses, notes, ...rest } = backend;
    return {
      success: true,
      data: {
        backend: { ...rest, removal_causes: removalCauses, notes: [...notes] },
        backends: this.seams.backends.map(({ type, summary }) => ({ name: type, summary })),
        strategies: this.seams.strategies.map(({ name, summary }) => ({ name, summary })),
        default_strategy: this.seams.defaultStrategy,
        probes: this.seams.probes.map(({ type, summary }) => ({ name: type, summary })),
        authentication_schemes: [],
        dialects: [],
      },
    };
  }
}
