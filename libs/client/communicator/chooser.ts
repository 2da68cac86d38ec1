import type { DiscoveryClient } from '../client.js';
import type { Picked } from '../discovery/picker.js';
import { NoInstanceError } from '../errors.js';
import type { Instance } from '../instance.js';
import type { Breakers } from './breakers.js';
import type { Call } from './call.js';
import type { CallPolicy } from './policy.js';

/** Chooses who is called: nobody who is left alone or was tried, as far as there is somebody else. */
export class Chooser {
  constructor(
    private readonly client: DiscoveryClient,
    private readonly breakers: Breakers,
    private readonly policy: Pick<CallPolicy, 'maxEjectedShare'>,
    private readonly strategy: string,
  ) {}

  /** @throws NoInstanceError; UnknownStrategyError */
  choose(call: Call, tried: ReadonlySet<string>): Picked {
    const alone = this.leftAlone(call.service);
    for (const exclude of [new Set([...tried, ...alone]), alone, tried]) {
      const picked = this.pick(call, exclude);
      if (picked) return picked;
    }
    return this.client.pick(call.service, this.wish(call));
  }

  /** Undefined where there is nobody else. @throws UnknownStrategyError */
  chooseOther(call: Call, tried: ReadonlySet<string>): Picked | undefined {
    return this.pick(call, new Set([...tried, ...this.leftAlone(call.service)]));
  }

  private pick(call: Call, exclude: ReadonlySet<string>): Picked | undefined {
    try {
      return this.client.pick(call.service, { ...this.wish(call), exclude });
    } catch (error) {
      if (error instanceof NoInstanceError) return undefined;
      throw error;
    }
  }

  private wish({ strategy = this.strategy, filter, key }: Call) {
    return { strategy, filter, key };
  }

  /** None where they are more than the policy lets be. */
  private leftAlone(service: string): ReadonlySet<string> {
    const instances = this.client.instances(service);
    const open = instances.filter((instance) => this.breakers.isOpen(keyOf(instance)));
    const few = open.length <= instances.length * this.policy.maxEjectedShare;
    return new Set(few ? open.map(({ serviceId }) => serviceId) : []);
  }
}

/** By which its breaker is known. */
export function keyOf({ serviceName, serviceId }: Instance): string {
  return `${serviceName}/${serviceId}`;
}
