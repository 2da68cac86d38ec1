import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { CatalogEntry } from '#catalog';
import { Answers, type Content } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { AnswersRead, FiltersByMetadata } from '../openapi.js';
import { presentInstance } from './presenters/instance.js';
import { paginate } from './presenters/page.js';
import { presentService } from './presenters/service.js';
import { instanceAnswer, page, serviceAnswer, serviceSummaryAnswer, success } from './schemas/answers.js';
import { idParam, nameParam } from '../params.js';
import { instancesQuery, oneQuery, serviceQuery, servicesQuery } from './schemas/queries.js';

@ApiTags('discovery')
@Controller('api/v1/services')
export class DiscoveryController {
  constructor(
    private readonly discovery: Discovery,
    private readonly answers: Answers,
  ) {}

  @Get()
  @Needs('reader')
  @ApiOperation({
    operationId: 'listServices',
    summary: 'Services that have an instance under the filter, sorted by name',
  })
  @AnswersRead(page(serviceSummaryAnswer))
  @FiltersByMetadata()
  async services(
    @Query({ schema: servicesQuery }) query: z.output<typeof servicesQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { filter, freshness, instances, internal } = query;
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness,
      content: () => {
        const { items, page } = paginate(
          this.discovery.seenBy(request.caller).services(filter, { internal }),
          ([name]) => name,
          query,
        );
        return {
          held: items.some(([, entries]) => anyHeld(entries)),
          settled: !instances,
          body: ({ vitals }) => ({
            success: true,
            data: items.map(([name, entries]) => presentService(name, entries, { vitals, instances })),
            page,
          }),
        };
      },
    });
  }

  @Get(':name')
  @Needs('reader', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'getService', summary: 'One service with its instances; a filter may leave none' })
  @AnswersRead(success(serviceAnswer), 404)
  @FiltersByMetadata()
  async service(
    @Param('name', { schema: nameParam }) name: string,
    @Query({ schema: serviceQuery }) { filter, freshness }: z.output<typeof serviceQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answers.send(request, reply, {
      scope: name,
      freshness,
      content: () => {
        const entries = this.discovery.seenBy(request.caller).entries(name, filter);
        return {
          held: anyHeld(entries),
          body: ({ vitals }) => ({ success: true, data: presentService(name, entries, { vitals, instances: true }) }),
        };
      },
    });
  }

  @Get(':name/instances')
  @Needs('reader', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'listInstances', summary: 'The instances of one service, sorted by id' })
  @AnswersRead(page(instanceAnswer), 404)
  @FiltersByMetadata()
  async instances(
    @Param('name', { schema: nameParam }) name: string,
    @Query({ schema: instancesQuery }) query: z.output<typeof instancesQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answers.send(request, reply, {
      scope: name,
      freshness: query.freshness,
      content: () => {
        const entries = this.discovery.seenBy(request.caller).entries(name, query.filter);
        const { items, page } = paginate(entries, ({ instance }) => instance.serviceId, query);
        return {
          held: anyHeld(items),
          body: (presentation) => ({
            success: true,
            data: items.map((each) => presentInstance(each, presentation)),
            page,
          }),
        };
      },
    });
  }

  @Get(':name/instances/:id')
  @Needs('reader', { instancesOf: 'name' })
  @ApiOperation({ operationId: 'getInstance', summary: 'One instance' })
  @AnswersRead(success(instanceAnswer), 404)
  async instance(
    @Param('name', { schema: nameParam }) name: string,
    @Param('id', { schema: idParam }) id: string,
    @Query({ schema: oneQuery }) { freshness }: z.output<typeof oneQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answers.send(request, reply, {
      scope: name,
      freshness,
      content: (): Content => {
        const entry = this.discovery.seenBy(request.caller).entry(name, id);
        return {
          held: entry.hold !== undefined,
          body: (presentation) => ({ success: true, data: presentInstance(entry, presentation) }),
        };
      },
    });
  }
}

function anyHeld(entries: readonly CatalogEntry[]): boolean {
  return entries.some(({ hold }) => hold !== undefined);
}
