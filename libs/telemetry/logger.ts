import { pino, stdSerializers, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { originFields } from './request-context.js';
import { withoutSecrets } from './secrets.js';
import { StandardOutput } from './standard-output.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object a line. `pretty`: for people, with colours on a terminal. */
  readonly format: LogFormat;
  /** The `service` field of every line; `service-discovery` by default. */
  readonly service?: string;
  /** Where lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

/** A logger without a worker or a file to close. */
export function createLogger(options: LoggerOptions): Pino {
  const destination = options.destination ?? new StandardOutput();
  return pino(
    {
      level: options.level,
      base: { service: options.service ?? 'service-discovery' },
      timestamp: stdTimeFunctions.isoTime,
      mixin: originFields,
      formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields) },
      serializers: { err: (error: Error) => withoutSecrets(stdSerializers.err(error)) },
    },
    options.format === 'pretty' ? prettyStream(destination, options.destination === undefined) : destination,
  );
}

function prettyStream(destination: DestinationStream, onStandardOutput: boolean): DestinationStream {
  const format = prettyFactory({ colorize: onStandardOutput && process.stdout.isTTY, translateTime: false });
  return { write: (line) => destination.write(format(line)) };
}
