import type { Identity, Role } from '#core';
import { Caller } from './caller.js';

/** With what a caller is called who is not known. */
const ANONYMOUS = 'anonymous';

/** Says what each may do: nothing that is not given. */
export class Policy {
  /** Whoever brings no credential. */
  readonly anonymous: Caller;

  constructor(anonymousRole: Role | 'none') {
    this.anonymous = new Caller(ANONYMOUS, anonymousRole === 'none' ? [] : [everywhere(anonymousRole)]);
  }

  callerOf(scheme: string, { name, role, expiresAt }: Identity): Caller {
    return new Caller(`${scheme}:${name}`, role ? [everywhere(role)] : [], expiresAt);
  }
}

function everywhere(role: Role) {
  return { role, services: ['*'] };
}
