import type { LoggerService } from '@nestjs/common';
import type { Logger } from '#core';

/** Nest's own complaints in our log; its list of every route is left out. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(): void {}

  error(message: unknown, ...details: unknown[]): void {
    this.logger.error({ details }, String(message));
  }

  warn(message: unknown): void {
    this.logger.warn({}, String(message));
  }
}
