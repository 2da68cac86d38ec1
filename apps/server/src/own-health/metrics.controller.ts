import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '#telemetry';
import { Needs } from '../auth/roles.js';
import { notFound } from '../http/problem.js';
import { METRICS } from '../tokens.js';

@ApiTags('own health')
@Controller('metrics')
export class PrometheusController {
  constructor(@Inject(METRICS) private readonly metrics: Metrics | undefined) {}

  @Get()
  @Needs('public')
  @ApiOperation({ summary: 'Metrics in Prometheus’ text format' })
  @ApiProduces('text/plain')
  async exposition(@Res() reply: FastifyReply): Promise<void> {
    if (!this.metrics) throw notFound('metrics are switched off (METRICS_ENABLED)');
    const { contentType, body } = await this.metrics.exposition();
    void reply.type(contentType).send(body);
  }
}
