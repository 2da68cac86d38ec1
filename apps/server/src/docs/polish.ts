import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Parameter = Extract<NonNullable<Operation['parameters']>[number], { in: string }>;

interface Extended extends Operation {
  readonly 'x-required-role'?: string;
}

const LICENSE = { name: 'MIT', identifier: 'MIT' };

/** What decorators cannot say. */
export function polish(document: OpenAPIObject): OpenAPIObject {
  document.info = { ...document.info, contact: undefined, license: LICENSE };
  const ids = new Set<string>();
  for (const { get, put, post, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, put, post, patch, remove]) {
      if (!operation) continue;
      operation.operationId = unused(operation.operationId!, ids);
      if ((operation as Extended)['x-required-role'] === 'public') operation.security = [];
      for (const parameter of operation.parameters ?? []) if ('in' in parameter) polishParameter(parameter);
    }
  }
  return document;
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
