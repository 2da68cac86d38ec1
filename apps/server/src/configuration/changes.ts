import type { ConfigCause, ConfigEntry, ConfigEvent, Logger } from '#core';
import { documentOf, type ConfigListener } from '#configuration';

/** One line for each change of a document. */
export function logChanges(logger: Logger): ConfigListener {
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
