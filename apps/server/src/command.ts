import { parseArgs } from 'node:util';
import { createLogger, startTracing } from '#telemetry';
import { extend } from './extensions.js';
import { BUILT_IN, choicesOf, type Seams } from './seams.js';
import { Server } from './server.js';
import { describeSettings, loadSettings, extensionsIn, SettingsError, type LoadedSettings } from './settings/index.js';

/** After the grace time, for what has nothing to do with callers. */
const STOP_MARGIN_MS = 5_000;

const USAGE = `usage: service-discovery [--print-config]
Everything is set by variables of the environment; --print-config shows what is in force and where each came from.`;

/** What the command was asked for. */
function wanted(): 'serve' | 'print-config' | 'help' {
  const { values } = parseArgs({
    options: { 'print-config': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  return values.help ? 'help' : values['print-config'] ? 'print-config' : 'serve';
}

async function serve({ settings, warnings }: LoadedSettings, seams: Seams, takeOver: () => void): Promise<void> {
  const logger = createLogger({ ...settings.log, service: settings.service.name });
  for (const warning of warnings) logger.warn({}, warning);
  // Before whatever spans are made of.
  const tracing = settings.tracing && (await startTracing(settings.tracing, logger));
  const server = await Server.create(settings, logger, seams);
  let told = false;
  const stop = (signal: NodeJS.Signals) => {
    if (told) {
      // Explicitly: as the first process of a container it would outlive a signal that nobody handles.
      logger.warn({ signal }, 'told to stop again: ending at once');
      process.exit(1);
    }
    told = true;
    logger.info({ signal }, 'told to stop');
    // The grace time bounds what callers hold up; this, what a disk or a registry might.
    setTimeout(() => {
      logger.error({}, 'could not stop in time');
      process.exit(1);
    }, settings.shutdown.graceMs + STOP_MARGIN_MS).unref();
    const end = async () => {
      await server.stop();
      await tracing?.stop();
    };
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  // In this order: with its last listener goes a signal that was sent and is not yet told.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  takeOver();
  await server.start();
}

/**
 * Does what the command line says; ends the process when that fails.
 *
 * @param takeOver Called when signals are heeded here.
 */
export async function run(takeOver: () => void): Promise<void> {
  try {
    const command = wanted();
    if (command === 'help') {
      console.log(USAGE);
      return;
    }
    // Before all else: which values a setting may have depends on them.
    const seams = await extend(BUILT_IN, extensionsIn(process.env));
    const loaded = loadSettings(process.env, choicesOf(seams));
    if (command === 'print-config') console.log(describeSettings(loaded));
    else await serve(loaded, seams, takeOver);
  } catch (error) {
    // One readable message: whoever starts a server wants the cause, not our stack.
    console.error(error instanceof SettingsError ? error.message : `could not start: ${readable(error)}`);
    process.exit(1);
  }
}

function readable(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
