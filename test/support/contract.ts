import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Answer, HttpClient } from './http-client.js';

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: object;
  readonly style?: string;
  readonly explode?: boolean;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

export interface Operation {
  readonly method: string;
  /** As the document has it, with `{braces}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { schema: object }>>;
  };
  readonly 'x-required-role': string;
  readonly responses: Readonly<Record<string, Response>>;
}

const DOCUMENT = 'openapi.json';

/** Its success never ends: who asks for it with GET waits for ever. */
export function isStream({ responses }: Operation): boolean {
  return responses['200']?.content?.['text/event-stream'] !== undefined;
}

/** The document that the server gives of itself, and whether answers are as it says. */
export class Contract {
  readonly operations: readonly Operation[];
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: false });

  constructor(readonly document: OpenAPIObject) {
    ajvFormats.default(this.ajv);
    this.ajv.addSchema(document, DOCUMENT);
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
        ...operation,
        parameters: operation.parameters.map((parameter) => this.followed(parameter)),
        responses: mapped(operation.responses, (response) => ({
          ...response,
          ...(response.headers && { headers: mapped(response.headers, (header) => this.followed(header)) }),
        })),
        method: method.toUpperCase(),
        path,
      })),
    );
  }

  static async of(http: HttpClient): Promise<Contract> {
    return new Contract((await http.get('/docs-json')).json as unknown as OpenAPIObject);
  }

  /** What may be said once for all, in the document's components. */
  private followed<T>(said: T | { readonly $ref: string }): T {
    if (typeof said !== 'object' || said === null || !('$ref' in said)) return said;
    return said.$ref
      .split('/')
      .slice(1)
      .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], this.document) as T;
  }

  /** A schema by where it stands in the document: undefined when it does not resolve or is none. */
  schemaAt(...keys: readonly string[]): ValidateFunction | undefined {
    const pointer = keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    return this.ajv.getSchema(`${DOCUMENT}#/${pointer}`);
  }

  /** Of what is in the envelope when the operation succeeds. @throws when there is no such operation. */
  dataOf(operationId: string): ValidateFunction {
    const { path, method } = this.operations.find((each) => each.operationId === operationId)!;
    const place = ['paths', path, method.toLowerCase(), 'responses', '200', 'content', 'application/json', 'schema'];
    return this.schemaAt(...place, 'properties', 'data')!;
  }

  /** What is wrong with an answer to this operation; nothing when it is as documented. */
  complaints(operation: Operation, answer: Answer): string[] {
    const name = `${operation.operationId} ${answer.status}`;
    const response = operation.responses[String(answer.status)];
    if (!response) return [`${name} is not documented: ${answer.text}`];
    return [...this.ofHeaders(name, response, answer), ...this.ofBody(name, operation, response, answer)];
  }

  private ofHeaders(name: string, { headers = {} }: Response, answer: Answer): string[] {
    return Object.entries(headers).flatMap(([header, { required = false, schema }]) => {
      const text = answer.headers[header.toLowerCase()];
      if (text === undefined) return required ? [`${name}: no header ${header}`] : [];
      const value = (schema as { type?: string }).type === 'integer' ? Number(text) : text;
      return this.ajv.validate(schema, value) ? [] : [`${name}: ${header} is ${text}: ${this.ajv.errorsText()}`];
    });
  }

  private ofBody(name: string, operation: Operation, { content }: Response, answer: Answer): string[] {
    if (!content) return answer.text === '' ? [] : [`${name} has a body: ${answer.text}`];
    if (!content[answer.type]) return [`${name}: ${answer.type} is not documented`];
    if (answer.type === 'text/plain') return [];
    const { path, method } = operation;
    const place = ['paths', path, method.toLowerCase(), 'responses', String(answer.status), 'content', answer.type];
    const valid = this.schemaAt(...place, 'schema');
    if (!valid) return [`${name}: no schema`];
    return valid(JSON.parse(answer.text)) ? [] : [`${name}: ${this.ajv.errorsText(valid.errors)} in ${answer.text}`];
  }
}

function mapped<T>(values: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
