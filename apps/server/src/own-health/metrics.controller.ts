import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../docs/decorators.js';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '#telemetry';
import { AnswersText } from '../api/openapi.js';
import { Needs } from '../auth/roles.js';
import { notFound } from '../http/problem.js';
import type { Settings } from '../settings/index.js';
import { METRICS, SETTINGS } from '../tokens.js';

@ApiTags('own health')
@Controller('metrics')
export class PrometheusController {
  constructor(
    @Inject(METRICS) private readonly metrics: Metrics | undefined,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get()
  @Needs('reader', { everything: true })
  @ApiOperation({ operationId: 'getPrometheusMetrics', summary: 'Metrics in Prometheus’ text format' })
  @AnswersText('text/plain', 404)
  async exposition(@Res() reply: FastifyReply): Promise<void> {
    if (this.settings.metrics.port !== undefined) throw notFound('metrics are on a port of their own (METRICS_PORT)');
    if (!this.metrics) throw notFound('metrics are switched off (METRICS_ENABLED)');
    const { contentType, body } = await this.metrics.exposition();
    void reply.type(contentType).send(body);
  }
}
