import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { problemAnswer } from '../api/v1/schemas/answers.js';

/** The description of the API, made when somebody first asks: most servers are never asked. */
export class OpenApi {
  private app: INestApplication | undefined;
  private made: Promise<OpenAPIObject> | undefined;

  describes(app: INestApplication): void {
    this.app = app;
  }

  document(): Promise<OpenAPIObject> {
    return (this.made ??= this.make());
  }

  private async make(): Promise<OpenAPIObject> {
    const { DocumentBuilder, SwaggerModule } = await import('@nestjs/swagger');
    const config = new DocumentBuilder()
      .setTitle('service-discovery')
      .setDescription('One API to register with and to ask, in front of the registry you already run.')
      .setVersion('v1')
      .setOpenAPIVersion('3.1.0')
      .build();
    const document = SwaggerModule.createDocument(this.app!, config);
    const problem = z.toJSONSchema(problemAnswer, { io: 'output' }) as object;
    document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: problem } };
    return document;
  }
}
