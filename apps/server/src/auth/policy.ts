import type { Identity, Logger, Role } from '#core';
import type { AuthenticationSettings } from '../settings/authentication.js';
import { ANONYMOUS, Caller } from './caller.js';
import { NO_RULES, openRules, type Rules } from './rules.js';
import type { WatchedFiles } from './watched-files.js';

/** Says what each may do: what the scheme says, and what the operator's rules add. Nothing else is allowed to anybody. */
export class Policy {
  /** Whoever brings no credential. */
  readonly anonymous: Caller;
  /** Called when rules have changed: who was made a caller before may do something else now. */
  onChange: () => void = () => undefined;
  private file: WatchedFiles<Rules> | undefined;

  private constructor(anonymousRole: Role | 'none') {
    this.anonymous = new Caller(ANONYMOUS, anonymousRole === 'none' ? [] : [everywhere(anonymousRole)]);
  }

  /** @throws Error that names the file of rules and what is wrong with it. */
  static async create({ anonymousRole, rulesFile }: AuthenticationSettings, logger: Logger): Promise<Policy> {
    const policy = new Policy(anonymousRole);
    if (rulesFile !== undefined) policy.file = await openRules(rulesFile, () => policy.onChange(), logger);
    return policy;
  }

  callerOf(scheme: string, { name: identity, role, expiresAt }: Identity): Caller {
    const name = `${scheme}:${identity}`;
    const rules = this.file?.value ?? NO_RULES;
    return new Caller(name, [...(role ? [everywhere(role)] : []), ...rules(name, identity)], expiresAt);
  }

  stop(): void {
    this.file?.stop();
  }
}

function everywhere(role: Role) {
  return { role, services: ['*'] };
}
