import { z } from 'zod';
import { flag } from './fields.js';

const REFUSED = 'is not supported by this release yet; unset it';
const switchedOn = () =>
  flag()
    .refine((on) => !on, REFUSED)
    .optional();

/** Variables of a later release that would give false safety if they were ignored: they stop the boot. */
export const NOT_YET = z.object({
  TRACING_ENABLED: switchedOn().meta({ description: 'OpenTelemetry tracing' }),
});

/** Variables that older systems need and this one does not: worth one warning. */
export const NOT_USED: Readonly<Record<string, string>> = {
  DATABASE_URL: 'is not used yet',
};
