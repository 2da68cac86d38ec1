import { ROLES, type Role } from '#core';
import { glob, type Glob } from './glob.js';
import type { NeededRole } from './roles.js';

/** What somebody may do with some instances. */
export interface Grant {
  readonly role: Role | 'peer';
  /** Patterns of names. */
  readonly services: readonly string[];
  /** Only with instances that have all of these. */
  readonly tags?: readonly string[];
  /** Only with instances whose ids are as one of these patterns. */
  readonly instances?: readonly string[];
}

/** What a grant is compared with of an instance, be it registered or about to be. */
export interface Described {
  readonly serviceName: string;
  readonly serviceId: string;
  readonly tags: readonly string[];
}

/** A grant, ready to be asked. */
export class Scope {
  readonly role: Grant['role'];
  /** It is of all instances of whichever service it is of. */
  readonly whole: boolean;
  private readonly services: readonly Glob[];
  private readonly instances: readonly Glob[] | undefined;
  private readonly tags: readonly string[];
  /** The same for grants that let the same be seen. */
  readonly key: string;

  constructor({ role, services, tags = [], instances }: Grant) {
    this.role = role;
    this.whole = tags.length === 0 && instances === undefined;
    this.services = services.map(glob);
    this.instances = instances?.map(glob);
    this.tags = tags;
    this.key = keyOf({ services, tags, instances });
  }

  /** It is of all instances of all services. */
  get isEverything(): boolean {
    return this.key === EVERYTHING;
  }

  includes(needed: NeededRole): boolean {
    if (needed === 'public') return true;
    if (this.role === 'peer' || needed === 'peer') return this.role === needed;
    return ROLES.indexOf(this.role) >= ROLES.indexOf(needed);
  }

  isOf(serviceName: string): boolean {
    return this.services.some((fits) => fits(serviceName));
  }

  covers({ serviceName, serviceId, tags }: Described): boolean {
    return (
      this.isOf(serviceName) &&
      this.tags.every((tag) => tags.includes(tag)) &&
      (this.instances?.some((fits) => fits(serviceId)) ?? true)
    );
  }
}

function keyOf({ services, tags = [], instances }: Omit<Grant, 'role'>): string {
  return JSON.stringify([
    services.includes('*') ? ['*'] : sorted(services),
    sorted(tags),
    instances && sorted(instances),
  ]);
}

/** The key of what is of everything. */
const EVERYTHING = keyOf({ services: ['*'] });

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
