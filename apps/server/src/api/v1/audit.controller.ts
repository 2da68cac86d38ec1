import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Answers } from '../../answers/answers.js';
import { Audit, type AuditEntry } from '../../audit/audit.js';
import { Needs } from '../../auth/roles.js';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import { AnswersRead } from '../openapi.js';
import { descending, paginate } from './presenters/page.js';
import { page } from './schemas/answers.js';
import { pageQuery } from './schemas/queries.js';

const auditAnswer = z
  .strictObject({
    at: z.iso.datetime(),
    actor: z.string().meta({ description: 'scheme:identity; unknown: who was not let in' }),
    address: z.string(),
    operation: z.string().meta({ description: 'method and path' }),
    service: z.string().nullable().meta({ description: 'as far as the request says which, as are the next two' }),
    instance: z.string().nullable(),
    environment: z.string().nullable(),
    status: z.int(),
    request_id: z.string(),
  })
  .meta({ id: 'AuditEntry' });

@ApiTags('own health')
@Controller('api/v1/audit')
export class AuditController {
  constructor(
    private readonly audit: Audit,
    private readonly answers: Answers,
  ) {}

  @Get()
  @Needs('admin', { everything: true })
  @ApiOperation({
    operationId: 'getAudit',
    summary: 'Who has changed something through this server, or was refused to, newest first',
  })
  @AnswersRead(page(auditAnswer))
  read(
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const { items, page } = paginate(this.audit.latestFirst, ({ number }) => descending(number), query);
    this.answers.sendNow(request, reply, { success: true, data: items.map(present), page });
  }
}

function present({ at, actor, address, operation, service, instance, environment, status, requestId }: AuditEntry) {
  return {
    at: new Date(at).toISOString(),
    ...{ actor, address, operation, status },
    service: service ?? null,
    instance: instance ?? null,
    environment: environment ?? null,
    request_id: requestId,
  };
}
