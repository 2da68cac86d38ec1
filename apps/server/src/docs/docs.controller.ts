import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from './decorators.js';
import type { FastifyReply } from 'fastify';
import { Needs } from '../auth/roles.js';
import { notFound } from '../http/problem.js';
import { OpenApi } from './openapi.js';

const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** Its own scripts and styles alone, those of swagger-ui inside it, and in nobody's frame. */
const PAGE_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>service-discovery API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: 'docs-json', dom_id: '#ui' });</script>
  </body>
</html>
`;

@ApiExcludeController()
@Controller()
export class DocsController {
  /** Those that somebody has asked for; all who ask share their bytes. */
  private readonly assets = new Map<string, Promise<Buffer>>();

  constructor(private readonly openApi: OpenApi) {}

  @Get('docs-json')
  @Needs('public')
  async document(@Res() reply: FastifyReply): Promise<void> {
    void reply.type('application/json; charset=utf-8').send(await this.openApi.document());
  }

  @Get('docs')
  @Needs('public')
  page(@Res() reply: FastifyReply): void {
    void reply
      .type('text/html; charset=utf-8')
      .headers({ 'Content-Security-Policy': PAGE_POLICY, 'X-Frame-Options': 'DENY' })
      .send(PAGE);
  }

  @Get('docs/*')
  @Needs('public')
  async asset(@Param('*') asset: string, @Res() reply: FastifyReply): Promise<void> {
    if (asset === '') {
      void reply.redirect('../docs', 308);
      return;
    }
    const type = Object.hasOwn(ASSETS, asset) ? ASSETS[asset] : undefined;
    if (!type) throw notFound(`there is no ${asset} here`);
    let bytes = this.assets.get(asset);
    if (!bytes) this.assets.set(asset, (bytes = readAsset(asset)));
    void reply
      .type(type)
      .header('Cache-Control', 'max-age=86400')
      .send(await bytes);
  }
}

function readAsset(name: string): Promise<Buffer> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return readFile(join(folder, name));
}
