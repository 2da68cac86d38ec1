import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Answers as Freshness, type RevisionRef } from '../../answers/answers.js';
import { Needs } from '../../auth/roles.js';
import type { Settings } from '../../settings/index.js';
import { EVENT_STREAM, Reception } from '../../streams/index.js';
import { SETTINGS } from '../../tokens.js';
import type { Scope } from '../../watch/feed.js';
import { TICKET_MS, Tickets } from '../../watch/tickets.js';
import { Watch } from '../../watch/watch.js';
import { Answers, AnswersStream, FiltersByMetadata } from '../openapi.js';
import { success, ticketAnswer } from './schemas/answers.js';
import { nameParam } from '../params.js';
import { noQuery, readRevision, watchServiceQuery, watchServicesQuery } from './schemas/queries.js';

@ApiTags('watch')
@Controller('api/v1/watch')
export class WatchController {
  constructor(
    private readonly watch: Watch,
    private readonly reception: Reception,
    private readonly tickets: Tickets,
    private readonly freshness: Freshness,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get('services')
  @Needs('reader')
  @RouteConfig({ produces: EVENT_STREAM })
  @ApiOperation({ operationId: 'watchServices', summary: 'All instances under the filter, then what changes' })
  @AnswersStream()
  @FiltersByMetadata()
  services(
    @Query({ schema: watchServicesQuery }) query: z.output<typeof watchServicesQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const except = query.internal ? undefined : this.settings.service.name;
    this.open(
      request,
      reply,
      { serviceName: undefined, except, filter: query.filter, visibility: request.caller.visibility },
      query,
    );
  }

  @Get('services/:name')
  @Needs('reader', { instancesOf: 'name' })
  @RouteConfig({ produces: EVENT_STREAM })
  @ApiOperation({
    operationId: 'watchService',
    summary: 'The instances of one service, of which there may be none yet, then what changes',
  })
  @AnswersStream()
  @FiltersByMetadata()
  service(
    @Param('name', { schema: nameParam }) serviceName: string,
    @Query({ schema: watchServiceQuery }) query: z.output<typeof watchServiceQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    this.open(request, reply, { serviceName, filter: query.filter, visibility: request.caller.visibility }, query);
  }

  @Post('tickets')
  @Needs('reader', { routine: true })
  @ApiOperation({ operationId: 'issueTicket', summary: 'A ticket for one stream of this server, to be used soon' })
  @Answers(201, success(ticketAnswer), 413, 415)
  ticket(
    @Query({ schema: noQuery }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const ticket = this.tickets.issue(request);
    this.freshness.setFreshness(reply);
    reply.header('Cache-Control', 'no-store');
    return { success: true, data: { ticket, expires_in: TICKET_MS / 1_000 } };
  }

  /** @throws Problem for who is not let in, BackendError while there is nothing to tell, or no room. */
  private open(request: FastifyRequest, reply: FastifyReply, scope: Scope, { since, ticket }: Opening): void {
    this.freshness.requireView();
    const channel = this.reception.receive(request, reply, ticket);
    if (channel) this.watch.follow(channel, scope, lastEventOf(request) ?? since);
  }
}

interface Opening {
  readonly since?: RevisionRef;
  readonly ticket?: string;
}

/** Where somebody is again that comes back: of what is not ours, nothing is known. */
function lastEventOf({ headers }: FastifyRequest): RevisionRef | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? (readRevision(id) ?? NOWHERE) : undefined;
}

const NOWHERE: RevisionRef = { epoch: '', number: 0 };
