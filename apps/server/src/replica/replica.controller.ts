import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HealthMonitor, type CheckReport } from '#health';
import { Needs } from '../auth/roles.js';
import { ApiExcludeController } from '../docs/decorators.js';
import { whileConnected } from '../http/connected.js';
import { notFound } from '../http/problem.js';
import { Peers } from './peers.js';
import { Sightings } from './sightings.js';
import type { Sighting } from './wire.js';

const ofService = z.object({ service: z.string(), id: z.string().optional() });
const ofInstance = z.object({ service: z.string(), id: z.string() });

/** What replicas ask each other (`PeerClient`). No part of the API: it changes with any release. */
@ApiExcludeController()
@Controller('internal/replicas/:replica')
export class ReplicaController {
  constructor(
    private readonly peers: Peers,
    private readonly sightings: Sightings,
    private readonly monitor: HealthMonitor,
  ) {}

  /** Another process may have come to be at the address of one that was killed. */
  @Get('here')
  @Needs('public')
  @HttpCode(204)
  here(@Param('replica') replica: string): void {
    if (replica !== this.peers.ownId) throw notFound('this is another replica');
  }

  @Get('seen')
  @Needs('peer')
  seen(
    @Param('replica') replica: string,
    @Query({ schema: ofService }) { service, id }: z.output<typeof ofService>,
  ): Sighting[] {
    this.here(replica);
    return this.sightings.own({ serviceName: service, serviceId: id });
  }

  @Post('check')
  @Needs('peer', { routine: true })
  @HttpCode(200)
  async check(
    @Param('replica') replica: string,
    @Query({ schema: ofInstance }) { service, id }: z.output<typeof ofInstance>,
    @Req() request: FastifyRequest,
  ): Promise<CheckReport> {
    this.here(replica);
    const key = { serviceName: service, serviceId: id };
    return whileConnected(request, ({ signal }) => this.monitor.checkNow(key, signal));
  }
}
