import { Controller, Get, HttpCode, Param } from '@nestjs/common';
import { Needs } from '../auth/roles.js';
import { ApiExcludeController } from '../docs/decorators.js';
import { notFound } from '../http/problem.js';
import { Peers } from './peers.js';

/** What replicas ask each other. No part of the API: it changes with any release. */
@ApiExcludeController()
@Controller('internal/replicas/:replica')
export class ReplicaController {
  constructor(private readonly peers: Peers) {}

  /** Another process may have come to be at the address of one that was killed. */
  @Get()
  @Needs('public')
  @HttpCode(204)
  isHere(@Param('replica') replica: string): void {
    if (replica !== this.peers.ownId) throw notFound('this is another replica');
  }
}
