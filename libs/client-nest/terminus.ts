import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DiscoveryClient } from '#client';

/** For Terminus: how well this application knows the others. */
@Injectable()
export class ServiceDiscoveryHealthIndicator {
  constructor(
    @Inject(DiscoveryClient) private readonly client: DiscoveryClient,
    @Inject(HealthIndicatorService) private readonly health: HealthIndicatorService,
  ) {}

  /** Up while a server tells; degraded while it lives on what was last known; down when nothing is known. */
  check<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    const { source } = this.client;
    const indicator = this.health.check(key);
    if (source === undefined) return indicator.down({ source: 'none' });
    return source === 'live' ? indicator.up({ source }) : indicator.degraded({ source });
  }
}
