import { z } from 'zod';
import { tagField } from '#core';
import { serviceId, serviceName } from './fields.js';

export const nameParam = serviceName;
export const idParam = serviceId;
/** A service's name, or an instance's id. */
export const nameOrIdParam = z.string().min(1).max(1_024);
export const tagParam = tagField;
