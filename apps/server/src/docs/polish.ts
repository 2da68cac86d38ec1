import type { OpenAPIObject } from '@nestjs/swagger';
import { REQUEST_ID } from '../http/request-id.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Parameter = Extract<NonNullable<Operation['parameters']>[number], { in: string }>;

interface Extended extends Operation {
  readonly 'x-required-role'?: string;
}

const LICENSE = { name: 'MIT', identifier: 'MIT' };

/** Any request may bring it, and each answer does: said once, and named by every operation. */
const COMPONENTS: OpenAPIObject['components'] = {
  parameters: {
    RequestId: {
      name: REQUEST_ID,
      in: 'header',
      description: 'Id of the request: up to 128 letters, digits and `_.:@/+=-`. For any other, or none, one is made.',
      schema: { type: 'string' },
    },
  },
  headers: {
    RequestId: { description: 'Id of the request, by which the log has it.', schema: { type: 'string' } },
  },
};

/** What decorators cannot say. */
export function polish(document: OpenAPIObject): OpenAPIObject {
  document.info = { ...document.info, contact: undefined, license: LICENSE };
  document.components = { ...document.components, ...COMPONENTS };
  const ids = new Set<string>();
  for (const { get, put, post, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, put, post, patch, remove]) {
      if (!operation) continue;
      operation.operationId = unused(operation.operationId!, ids);
      if ((operation as Extended)['x-required-role'] === 'public') operation.security = [];
      for (const parameter of operation.parameters ?? []) if ('in' in parameter) polishParameter(parameter);
      nameRequestId(operation);
    }
  }
  return document;
}

function nameRequestId(operation: Operation): void {
  operation.parameters = [...(operation.parameters ?? []), { $ref: '#/components/parameters/RequestId' }];
  for (const response of Object.values(operation.responses)) {
    if (!response || '$ref' in response) continue;
    response.headers = { ...response.headers, [REQUEST_ID]: { $ref: '#/components/headers/RequestId' } };
  }
}

/** One handler at two paths has one id. */
function unused(id: string, ids: Set<string>): string {
  const own = ids.has(id) ? `${id}Alias` : id;
  ids.add(own);
  return own;
}

function polishParameter(parameter: Parameter): void {
  const { schema } = parameter;
  if (!schema || '$ref' in schema) return;
  // Several values go into one parameter, with commas between; a repeated one is refused.
  if (parameter.in === 'query' && schema.type === 'array') Object.assign(parameter, { style: 'form', explode: false });
  // It stands beside the schema already.
  delete schema.description;
}
