import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Answers } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import { Timeline } from '../../timeline/timeline.js';
import { AnswersRead } from '../openapi.js';
import { descending, paginate } from './presenters/page.js';
import { presentEarlier, presentEntry } from './presenters/timeline.js';
import { page, timelineAnswer } from './schemas/answers.js';
import { nameParam } from '../params.js';
import { pageQuery } from './schemas/queries.js';

interface Item {
  /** Sorts newest first; what was before this server began to watch comes last. */
  readonly name: string;
  readonly shown: object;
}

@ApiTags('discovery')
@Controller('api/v1/services/:name/timeline')
export class TimelineController {
  constructor(
    private readonly timeline: Timeline,
    private readonly discovery: Discovery,
    private readonly answers: Answers,
  ) {}

  @Get()
  @Needs('reader', { service: 'name' })
  @ApiOperation({
    operationId: 'getTimeline',
    summary: 'What has happened to a service and why, as far as this server has seen it, newest first',
  })
  @AnswersRead(page(timelineAnswer), 404)
  read(
    @Param('name', { schema: nameParam }) name: string,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    this.answers.requireView();
    const { items, page } = paginate(this.items(name), (item) => item.name, query);
    this.answers.sendNow(request, reply, { success: true, data: items.map(({ shown }) => shown), page });
  }

  /** @throws Problem 404 when there is no such service, and nothing known of one. */
  private items(name: string): readonly Item[] {
    const entries = this.timeline.of(name) ?? [];
    const present =
      entries.length > 0 ? (this.discovery.catalog.instances(name) ?? []) : this.discovery.all.entries(name);
    const told = new Set(entries.map(({ key }) => key.serviceId));
    const earlier = present.filter(({ instance }) => !told.has(instance.serviceId));
    return [
      ...entries.map((entry) => ({ name: `0 ${descending(entry.number)}`, shown: presentEntry(entry) })),
      ...earlier
        .map(({ instance }) => ({
          name: `1 ${descending(instance.changed.at)} ${instance.serviceId}`,
          shown: presentEarlier(instance),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ];
  }
}
