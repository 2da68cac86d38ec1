import { LRUCache } from 'lru-cache';
import { regionOf, zoneOf, type PickRequest, type ServiceInstance, type StrategyModule } from '#core';
import { roundRobin } from './round-robin.js';
import { MAX_SCOPED_CANDIDATES, MAX_SCOPES } from './scopes.js';

/** The nearest candidates to a place, who take turns. Names of places hold no line breaks, so these separate them. */
interface Tier {
  /** Those of everywhere. */
  readonly of: readonly ServiceInstance[];
  readonly name: string;
  readonly candidates: readonly ServiceInstance[];
  readonly reason: string;
}

/** Whoever is in the caller's zone; else in its region; else anybody. Those of one tier take turns. */
export const geographic: StrategyModule = {
  name: 'geographic',
  summary: "In the caller's zone, else in its region, else anywhere; in turn among the nearest.",
  create(context) {
    const turns = roundRobin.create(context);
    // Callers name places, so there is no end to them.
    const tiers = new LRUCache<string, Tier>({
      max: MAX_SCOPES,
      maxSize: MAX_SCOPED_CANDIDATES,
      sizeCalculation: ({ of, candidates }) => of.length + candidates.length + 1,
    });
    return {
      pick(candidates, request) {
        const place = `${request.scope}\n${request.region ?? ''}\n${request.zone ?? ''}`;
        let tier = tiers.get(place);
        if (tier?.of !== candidates) tiers.set(place, (tier = nearest(candidates, request)));
        const choice = turns.pick(tier.candidates, { scope: `${request.scope}\n${tier.name}` });
        return choice && { instance: choice.instance, reason: tier.reason };
      },
    };
  },
};

function nearest(candidates: readonly ServiceInstance[], { region, zone }: PickRequest): Tier {
  const inZone = candidates.filter((each) => zoneOf(each) === zone && mayBeSame(regionOf(each), region));
  if (zone !== undefined && inZone.length > 0)
    return { of: candidates, name: `zone\n${region ?? ''}\n${zone}`, candidates: inZone, reason: 'in the same zone' };
  const inRegion = candidates.filter((each) => regionOf(each) === region);
  if (region !== undefined && inRegion.length > 0)
    return { of: candidates, name: `region\n${region}`, candidates: inRegion, reason: 'in the same region' };
  return { of: candidates, name: 'anywhere', candidates, reason: 'none in the same zone or region' };
}

/** Zones of two regions may share a name ("1"): in a region that is known to differ it is another place. */
function mayBeSame(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}
