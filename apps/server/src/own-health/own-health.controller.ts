import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../docs/decorators.js';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import type { RegistryBackend } from '#core';
import { Needs } from '../auth/roles.js';
import { Discovery } from '../discovery/discovery.js';
import { AnswersOfItself } from '../api/openapi.js';
import { liveAnswer, readyAnswer, serverHealthAnswer } from './answers.js';
import { BACKEND } from '../tokens.js';
import { Readiness } from './readiness.js';

/** This server's own health, for whoever runs it. The services' health never changes a code here. */
@ApiTags('own health')
@Controller('health')
export class OwnHealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly discovery: Discovery,
    private readonly readiness: Readiness,
    @Inject(BACKEND) private readonly backend: RegistryBackend,
  ) {}

  @Get('live')
  @Needs('public')
  @ApiOperation({ operationId: 'isLive', summary: 'The process runs and its event loop turns' })
  @AnswersOfItself(liveAnswer)
  live() {
    return { status: 'up' };
  }

  @Get('ready')
  @Needs('public')
  @ApiOperation({
    operationId: 'isReady',
    summary: 'There is a view to answer from, live or not, and the server is not about to stop',
  })
  @AnswersOfItself(readyAnswer, 503)
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { status, details } = await this.run([() => this.view(), () => this.traffic()]);
    if (status !== 'ok') reply.code(503).header('Retry-After', '1');
    return { status: status === 'ok' ? 'ready' : 'not ready', checks: details };
  }

  @Get()
  @Needs('public')
  @ApiOperation({ operationId: 'getServerHealth', summary: 'This server, its registry, and a summary of the services' })
  @AnswersOfItself(serverHealthAnswer, 503)
  async health(@Res({ passthrough: true }) reply: FastifyReply) {
    const { details } = await this.run([() => this.registry(), () => this.view(), () => this.traffic()]);
    if (details.view?.status !== 'up' || details.traffic?.status !== 'up') reply.code(503).header('Retry-After', '1');
    const healthy = Object.values(details).every(({ status }) => status === 'up');
    return {
      status: healthy ? 'healthy' : 'degraded',
      service_discovery: this.discovery.all.summary(),
      checks: details,
    };
  }

  private registry() {
    const { source, ageMs, reason } = this.discovery.catalog.freshnessNow();
    const indicator = this.indicators.check('registry');
    const trouble = this.backend.trouble?.();
    if (source === 'live' && trouble === undefined) return indicator.up();
    return indicator.down({ source: source ?? 'none', age_ms: ageMs, reason: reason ?? trouble });
  }

  private view() {
    const { source, reason } = this.discovery.catalog.freshnessNow();
    const indicator = this.indicators.check('view');
    return source === undefined ? indicator.down({ reason }) : indicator.up({ source });
  }

  private traffic() {
    const indicator = this.indicators.check('traffic');
    return this.readiness.draining ? indicator.down({ reason: 'stopping' }) : indicator.up();
  }

  /** Terminus throws what it has found when something is down; here that is an answer. */
  private async run(indicators: Parameters<HealthCheckService['check']>[0]): Promise<HealthCheckResult> {
    try {
      return await this.checks.check(indicators);
    } catch (error) {
      return (error as { getResponse(): HealthCheckResult }).getResponse();
    }
  }
}
