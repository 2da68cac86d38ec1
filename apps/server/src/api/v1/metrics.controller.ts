import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NO_FILTER, statusOf } from '#core';
import { Balancer } from '#balancing';
import { Answers } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { AnswersRead } from '../openapi.js';
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
    private readonly answers: Answers,
  ) {}

  @Get('services')
  @Needs('reader')
  @ApiOperation({ operationId: 'getServiceMetrics', summary: 'Requests, response times and errors by service' })
  @AnswersRead(success(serviceMetricsAnswer.array()))
  services(
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const data = this.discovery
      .seenBy(request.caller)
      .services(NO_FILTER, { internal: false })
      .map(([name, entries]) => {
        const { status: _status, ...counts } = presentCounts(name, entries);
        const { requests, averageMs, errorRate } = this.balancer.recorder.totals(name);
        return { ...counts, total_requests: requests, average_response_time_ms: averageMs, error_rate: errorRate };
      });
    this.answers.sendNow(request, reply, { success: true, data });
  }

  @Get('instances')
  @Needs('reader')
  @ApiOperation({ operationId: 'getInstanceMetrics', summary: 'The same by instance' })
  @AnswersRead(success(instanceMetricsAnswer.array()))
  instances(
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const entries = this.discovery
      .seenBy(request.caller)
      .services(NO_FILTER, { internal: false })
      .flatMap(([, each]) => each);
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
    this.answers.sendNow(request, reply, { success: true, data });
  }
}
