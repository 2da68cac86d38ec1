import { Inject, Injectable, type INestApplication } from '@nestjs/common';
import { served } from '../api/dialects/index.js';
import { problemAnswer } from '../api/v1/schemas/answers.js';
import type { Seams } from '../seams.js';
import type { Settings } from '../settings/index.js';
import { SEAMS, SETTINGS } from '../tokens.js';
import { loadSwagger } from './decorators.js';
import { toJsonSchema } from './json-schema.js';
import { polish } from './polish.js';

const TAGS: Readonly<Record<string, string>> = {
  registration: 'Instances come, say that they live, change and go.',
  discovery: 'What there is, from this server’s own view; every read can wait for a change.',
  watch: 'What changes, told as it happens: server-sent events, or a WebSocket.',
  balancing: 'One instance of many, and what callers saw of it.',
  configuration: 'Versioned documents that services are configured with.',
  health: 'How services and instances are, and why.',
  metrics: 'What callers have reported to this server.',
  capabilities: 'What this server can do.',
  'own health': 'This server itself, for whoever runs it.',
};

/** The description of the API, made when somebody first asks: most servers are never asked. */
@Injectable()
export class OpenApi {
  private app: INestApplication | undefined;
  private made: Promise<Buffer> | undefined;

  constructor(
    @Inject(SEAMS) private readonly seams: Seams,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  describes(app: INestApplication): void {
    this.app = app;
  }

  /** Its bytes, which all who ask share: nobody needs to be known for it. */
  document(): Promise<Buffer> {
    return (this.made ??= this.make());
  }

  private async make(): Promise<Buffer> {
    const { DocumentBuilder, SwaggerModule } = await loadSwagger();
    const builder = new DocumentBuilder()
      .setTitle('service-discovery')
      .setDescription('One API to register with and to ask, in front of the registry you already run.')
      .setVersion('1')
      .setOpenAPIVersion('3.1.0')
      .addServer('/')
      .addSecurity('bearer', { type: 'http', scheme: 'bearer' })
      .addSecurity('key', { type: 'apiKey', in: 'header', name: 'X-API-Key' })
      .addSecurityRequirements('bearer')
      .addSecurityRequirements('key');
    for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
    for (const { name, summary } of served(this.seams.dialects, this.settings.dialects)) builder.addTag(name, summary);
    const document = SwaggerModule.createDocument(this.app!, builder.build(), {
      standardSchemaConverter: toJsonSchema,
    });
    const { components } = toJsonSchema(problemAnswer, { schemaType: 'output' })!;
    document.components = { ...document.components, schemas: { ...document.components?.schemas, ...components } };
    return Buffer.from(JSON.stringify(polish(document)));
  }
}
