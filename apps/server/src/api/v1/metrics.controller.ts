import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { NO_FILTER, statusOf } from '#core';
import { Balancer } from '#balancing';
import { Answers as Freshness } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { Answers } from '../openapi.js';
import { presentCounts } from './presenters/service.js';
import { instanceMetricsAnswer, serviceMetricsAnswer, success } from './schemas/answers.js';
import { noQuery } from './schemas/queries.js';

/** What callers have reported to this process, by service and by instance. */
@ApiTags('metrics')
@Controller('api/v1/metrics')
export class MetricsController {
  constructor(
    private readonly discovery: Discovery,
    private readonly balancer: Balancer,
    private readonly freshness: Freshness,
  ) {}

  @Get('services')
  @Needs('reader')
  @ApiOperation({ summary: 'Requests, response times and errors by service' })
  @Answers(200, success(serviceMetricsAnswer.array()))
  services(@Query({ schema: noQuery }) _query: object, @Res({ passthrough: true }) reply: FastifyReply) {
    this.freshness.setFreshness(reply);
    const data = this.discovery.services(NO_FILTER, { internal: false }).map(([name, entries]) => {
      const { status: _status, ...counts } = presentCounts(name, entries);
      const { requests, averageMs, errorRate } = this.balancer.recorder.totals(name);
      return { ...counts, total_requests: requests, average_response_time_ms: averageMs, error_rate: errorRate };
    });
    return { success: true, data };
  }

  @Get('instances')
  @Needs('reader')
  @ApiOperation({ summary: 'The same by instance' })
  @Answers(200, success(instanceMetricsAnswer.array()))
  instances(@Query({ schema: noQuery }) _query: object, @Res({ passthrough: true }) reply: FastifyReply) {
    this.freshness.setFreshness(reply);
    const entries = this.discovery.services(NO_FILTER, { internal: false }).flatMap(([, each]) => each);
    const data = entries.map(({ instance }) => {
      const { requests, averageMs, errors, inFlight } = this.balancer.recorder.stats(instance);
      return {
        service_name: instance.serviceName,
        service_id: instance.serviceId,
        status: statusOf(instance),
        in_flight: inFlight,
        total_requests: requests,
        average_response_time_ms: averageMs,
        error_rate: requests === 0 ? 0 : errors / requests,
      };
    });
    return { success: true, data };
  }
}
