import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** Each may do what the ones before it may. `public` needs no identity at all. */
export const ROLES = ['public', 'reader', 'registrar', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const ROLE_METADATA = 'service-discovery:role';

/** The role that a route needs. Every route declares one. */
export function Needs(role: Role): CustomDecorator {
  return SetMetadata(ROLE_METADATA, role);
}
