import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '../../docs/decorators.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BackendError, hasActiveCheck, INSTANCE_STATUSES, keyOf, serviceNameField, statusOf } from '#core';
import type { CatalogEntry } from '#catalog';
import { Answers, type Content, type Presentation } from '../../answers/answers.js';
import type { Caller } from '../../auth/caller.js';
import { forbidden } from '../../auth/gate.js';
import { Needs } from '../../auth/roles.js';
import { Discovery } from '../../discovery/discovery.js';
import { whileConnected } from '../../http/connected.js';
import { notFound, Problem } from '../../http/problem.js';
import { OwnerChecks } from '../../replica/owner-checks.js';
import { Sightings, type Finding } from '../../replica/sightings.js';
import type { Settings } from '../../settings/index.js';
import { SETTINGS } from '../../tokens.js';
import { Answers as Documented, AnswersRead } from '../openapi.js';
import { presentChecks, presentInstanceHealth, presentReport } from './presenters/instance.js';
import { presentCounts } from './presenters/service.js';
import { checkAnswer, checkNowAnswer, healthAnswer, success } from './schemas/answers.js';
import { nameOrIdParam } from '../params.js';
import { healthQuery, ofServiceQuery } from './schemas/queries.js';

/** Of a service, this many are checked at once; each check has its own deadline. */
const CHECKS_AT_ONCE = 32;

/** Codes of what overtakes a check: the instance has gone, or is registered otherwise. */
const OVERTAKEN: ReadonlySet<string> = new Set(['NOT_FOUND', 'CONFLICT']);

type FindingOf = (entry: CatalogEntry) => Finding;

type Subject =
  { readonly service: string; readonly entries: readonly CatalogEntry[] } | { readonly entry: CatalogEntry };

@ApiTags('health')
@Controller('api/v1/health/:name_or_id')
export class HealthController {
  constructor(
    private readonly discovery: Discovery,
    private readonly sightings: Sightings,
    private readonly ownerChecks: OwnerChecks,
    private readonly answers: Answers,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get()
  @Needs('reader')
  @ApiOperation({
    operationId: 'getHealth',
    summary: 'Health of a service by its name, else of the instance with this id',
  })
  @AnswersRead(success(healthAnswer), 404, 409)
  async health(
    @Param('name_or_id', { schema: nameOrIdParam }) nameOrId: string,
    @Query({ schema: healthQuery }) { freshness, service }: z.output<typeof healthQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness,
      content: () =>
        this.content(this.subject(nameOrId, service, request.caller), (subject, finding, presentation) =>
          'entry' in subject
            ? presentInstanceHealth(subject.entry, finding(subject.entry), presentation)
            : presentServiceHealth(subject.service, subject.entries, finding, presentation),
        ),
    });
  }

  @Get('checks')
  @Needs('reader')
  @ApiOperation({ operationId: 'listChecks', summary: 'The checks of a service’s instances, or of one instance' })
  @AnswersRead(success(checkAnswer.array()), 404, 409)
  async checks(
    @Param('name_or_id', { schema: nameOrIdParam }) nameOrId: string,
    @Query({ schema: healthQuery }) { freshness, service }: z.output<typeof healthQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answers.send(request, reply, {
      scope: undefined,
      freshness,
      content: () =>
        this.content(this.subject(nameOrId, service, request.caller), (subject, finding, presentation) =>
          entriesOf(subject).flatMap((entry) => presentChecks(entry, finding(entry), presentation)),
        ),
    });
  }

  @Post('check')
  @Needs('operator')
  @ApiOperation({ operationId: 'checkNow', summary: 'Check now' })
  @Documented(200, success(checkNowAnswer), 404, 409, 413, 415)
  async checkNow(
    @Param('name_or_id', { schema: nameOrIdParam }) nameOrId: string,
    @Query({ schema: ofServiceQuery }) { service }: z.output<typeof ofServiceQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.answers.requireView();
    const subject = this.subject(nameOrId, service, request.caller);
    const entries = entriesOf(subject);
    if (!entries.every(({ instance }) => request.caller.mayWith(instance, 'operator'))) throw forbidden(request.caller);
    const checked = entries.filter(({ instance }) => instance.check !== undefined);
    if ('entry' in subject && checked.length === 0)
      throw notFound(`${nameOrId} has no health check`, 'NO_HEALTH_CHECK');
    if (
      !this.settings.checks.enabled &&
      checked.some((entry) => hasActiveCheck(entry.instance) && this.ownerChecks.areOurs(entry))
    )
      throw new Problem(409, 'CHECKS_DISABLED', 'this server probes no instance (HEALTH_CHECK_ENABLED)');
    const forgiven = 'entry' in subject ? undefined : OVERTAKEN;
    const results = await whileConnected(request, ({ signal }) => this.check(checked, signal, forgiven));
    this.answers.setFreshness(reply);
    return { success: true, data: 'entry' in subject ? results[0] : { results } };
  }

  /** @param forgiven What one of many may fail with: it has gone or changed meanwhile, and is left out. */
  private async check(
    entries: readonly CatalogEntry[],
    signal: AbortSignal,
    forgiven: ReadonlySet<string> = new Set(),
  ): Promise<object[]> {
    const results: object[] = [];
    for (let begin = 0; begin < entries.length; begin += CHECKS_AT_ONCE) {
      const part = entries.slice(begin, begin + CHECKS_AT_ONCE);
      const reports = part.map(async (entry) => {
        try {
          return [presentReport(await this.ownerChecks.checkNow(entry, signal))];
        } catch (error) {
          if (error instanceof BackendError && forgiven.has(error.code)) return [];
          throw error;
        }
      });
      results.push(...(await Promise.all(reports)).flat());
    }
    return results;
  }

  /** A service's name comes first; `?service=` says that it is an id of that service. */
  private subject(nameOrId: string, ofService: string | undefined, caller: Caller): Subject {
    const seen = this.discovery.seenBy(caller);
    if (ofService === undefined) {
      const name = serviceNameField.safeParse(nameOrId).data;
      const entries = name === undefined ? [] : seen.find(name);
      if (name !== undefined && entries.length > 0) return { service: name, entries };
    }
    const entry = seen.entryById(nameOrId, ofService);
    if (entry) return { entry };
    throw notFound(`there is neither a service nor an instance ${nameOrId} now`);
  }

  /** With what other replicas have seen, too. */
  private async content(
    subject: Subject,
    data: (subject: Subject, finding: FindingOf, presentation: Presentation) => object,
  ): Promise<Content> {
    const scope = 'entry' in subject ? keyOf(subject.entry.instance) : { serviceName: subject.service };
    const finding = await this.sightings.gather(scope);
    return {
      held: entriesOf(subject).some(({ hold }) => hold !== undefined),
      body: (presentation) => ({ success: true, data: data(subject, finding, presentation) }),
    };
  }
}

function presentServiceHealth(
  name: string,
  entries: readonly CatalogEntry[],
  finding: FindingOf,
  presentation: Presentation,
) {
  const statuses = entries.map(({ instance }) => statusOf(instance));
  const count = (status: string) => statuses.filter((each) => each === status).length;
  return {
    ...presentCounts(name, entries),
    totals: Object.fromEntries(INSTANCE_STATUSES.map((status) => [status, count(status)])),
    instances: entries.map((entry) => presentInstanceHealth(entry, finding(entry), presentation)),
  };
}

function entriesOf(subject: Subject): readonly CatalogEntry[] {
  return 'entry' in subject ? [subject.entry] : subject.entries;
}
