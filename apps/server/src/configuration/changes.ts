import type { ConfigCause, ConfigEntry, ConfigEvent, Logger } from '#core';
import { documentOf, type ConfigListener } from '#configuration';

/** One line for each change of a document, and a count. */
export function followDocuments(logger: Logger, count: (cause: ConfigCause) => void): ConfigListener {
  return (key, entry) => {
    const document = documentOf(key);
    if (!document) return;
    const event: ConfigEvent = {
      key: document,
      cause: causeOf(entry),
      actor: entry.actor,
      at: entry.updatedAt,
      detail: `version ${entry.version}`,
    };
    count(event.cause);
    log(event, logger);
  };
}

function causeOf({ config, rolledBackTo }: ConfigEntry): ConfigCause {
  if (!config) return 'deleted';
  return rolledBackTo === undefined ? 'configured' : 'rolled-back';
}

function log({ key, cause, actor, detail }: ConfigEvent, logger: Logger): void {
  logger.info({ ...key, cause, actor, detail }, `configuration ${cause}`);
}
