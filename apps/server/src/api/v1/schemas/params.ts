import { serviceIdField, serviceNameField } from '#core';
import { z } from 'zod';

export const nameParam = serviceNameField;
export const idParam = serviceIdField;
/** A service's name, or an instance's id. */
export const nameOrIdParam = z.string().min(1).max(1_024);
