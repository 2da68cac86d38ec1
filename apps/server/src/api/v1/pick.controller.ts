import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Balancer } from '#balancing';
import { Answers as Freshness } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { addressOf } from '../../http/trusted-proxies.js';
import { AnswersPick, AnswersWrite, FiltersByMetadata } from '../openapi.js';
import { presentInstance } from './presenters/instance.js';
import { explanationAnswer, instanceAnswer } from './schemas/answers.js';
import { idParam, nameParam } from '../params.js';
import { noQuery, pickQuery } from './schemas/queries.js';
import { outcomeInput } from './schemas/writes.js';

const pickAnswer = z.strictObject({
  success: z.literal(true),
  data: instanceAnswer,
  explain: explanationAnswer.optional(),
});

@ApiTags('balancing')
@Controller('api/v1/services/:name')
export class PickController {
  constructor(
    private readonly discovery: Discovery,
    private readonly balancer: Balancer,
    private readonly freshness: Freshness,
  ) {}

  @Get('instance')
  @Needs('reader', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'pickInstance', summary: 'One healthy instance, balanced' })
  @AnswersPick(pickAnswer, 404)
  @FiltersByMetadata()
  async pick(
    @Param('name', { schema: nameParam }) name: string,
    @Query({ schema: pickQuery }) query: z.output<typeof pickQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.freshness.ready(request, reply, { waitMs: 0, minRevision: query.minRevision }, name);
    const wish = { ...query, hashKey: query.hashKey ?? addressOf(request) };
    const seen = this.discovery.seenBy(request.caller);
    const { instance, reason } = seen.pick(name, wish);
    const entry = seen.entry(name, instance.serviceId);
    if (entry.hold) reply.header('X-Registry-Held', 'true');
    reply.header('Cache-Control', 'no-store');
    const data = presentInstance(entry, { vitals: true });
    if (!query.explain) return { success: true, data };
    const { candidates, leftOut } = seen.explain(name, wish);
    const strategy = query.strategy ?? this.balancer.defaultStrategy;
    const ids = candidates.map(({ serviceId }) => serviceId);
    return { success: true, data, explain: { strategy, reason, candidates: ids, left_out: leftOut } };
  }

  @Post('instances/:id/outcome')
  @Needs('reader', { instancesOf: 'name', routine: true })
  @ApiOperation({ operationId: 'reportOutcome', summary: 'What a caller saw of the instance that it was given' })
  @AnswersWrite(204, undefined, 404)
  outcome(
    @Param('name', { schema: nameParam }) name: string,
    @Param('id', { schema: idParam }) id: string,
    @Body({ schema: outcomeInput }) { ok, duration_ms: durationMs, released }: z.output<typeof outcomeInput>,
    @Query({ schema: noQuery }) _query: object,
    @Req() { caller }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): void {
    const { instance } = this.discovery.seenBy(caller).entry(name, id);
    this.balancer.recorder.finished(instance, { ok, durationMs, released });
    this.freshness.setFreshness(reply);
  }
}
