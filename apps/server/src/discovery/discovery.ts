import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Balancer } from '#balancing';
import type { Catalog } from '#catalog';
import type { Caller } from '../auth/caller.js';
import { SEES_ALL, type Visibility } from '../auth/visibility.js';
import { Seen, type Candidates, type Sources } from './seen.js';

/** Candidates of this many services and filters are kept ready, and of so many instances in all of them. */
const KEPT_SELECTIONS = 10_000;
const KEPT_CANDIDATES = 1_000_000;

/** Reads, for every API and dialect: from the view alone, and only of what whoever asks may see. */
@Injectable()
export class Discovery {
  /** For this server itself. */
  readonly all: Seen;
  private readonly sources: Sources;
  private readonly seen = new WeakMap<Visibility, Seen>();

  constructor(
    readonly catalog: Catalog,
    balancer: Balancer,
    ownName: string,
    picked: (serviceName: string) => void = () => undefined,
  ) {
    const kept = new LRUCache<string, Candidates>({
      max: KEPT_SELECTIONS,
      maxSize: KEPT_CANDIDATES,
      sizeCalculation: ({ instances }) => instances.length + 1,
    });
    this.sources = { catalog, balancer, ownName, picked, kept };
    this.all = this.seenBy({ visibility: SEES_ALL });
  }

  seenBy({ visibility }: Pick<Caller, 'visibility'>): Seen {
    let seen = this.seen.get(visibility);
    if (!seen) this.seen.set(visibility, (seen = new Seen(this.sources, visibility)));
    return seen;
  }
}
