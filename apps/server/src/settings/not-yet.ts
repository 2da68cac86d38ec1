import { z } from 'zod';
import { flag } from './fields.js';

const REFUSED = 'is not supported by this release yet; unset it';
const switchedOn = () =>
  flag()
    .refine((on) => !on, REFUSED)
    .optional();
const set = () =>
  z
    .string()
    .refine(() => false, REFUSED)
    .optional();

/** Variables of a later release that would give false safety if they were ignored: they stop the boot. */
export const NOT_YET = z.object({
  TRUSTED_PROXIES: set().meta({ description: 'proxies whose word on the caller counts' }),
  TRACING_ENABLED: switchedOn().meta({ description: 'OpenTelemetry tracing' }),
});

/** Variables that older systems need and this one does not: worth one warning. */
export const NOT_USED: Readonly<Record<string, string>> = {
  DATABASE_URL: 'is not used yet',
};
