import type { Command } from 'commander';
import { RefusedError, type WatchEvent } from '#client';
import { action } from '../action.js';
import type { Api } from '../api/api.js';
import { EXIT, explained } from '../errors.js';
import { follow, type Scope } from '../follow.js';
import { filterOf, withFilters, type FilterOptions } from '../options.js';

export function watch(program: Command): void {
  withFilters(program.command('watch'))
    .description('Tell what happens to a service, or to all, as it happens; Ctrl-C ends it.')
    .argument('[service]', 'there may be none yet')
    .action(
      action(async (context, options: FilterOptions, service?: string) => {
        const scope = { service, filter: filterOf(options) };
        await permitted(context.api, scope);
        await follow(context, scope, (event) => context.print.event(event, lineOf(event), idsOf(event)));
      }),
    );
}

/** What is wrong with the request ends it; what comes later is waited for. @throws RefusedError */
async function permitted(api: Api, { service, filter }: Scope): Promise<void> {
  try {
    if (service === undefined) await api.services({ ...filter, limit: 1 });
    else await api.instances(service, filter);
  } catch (error) {
    if (!(error instanceof RefusedError) || explained(error).exitCode !== EXIT.notFound) throw error;
  }
}

function lineOf(event: WatchEvent): string {
  const time = new Date().toTimeString().slice(0, 8);
  return `${time}  ${toldBy(event)}`;
}

function toldBy(event: WatchEvent): string {
  switch (event.event) {
    case 'snapshot':
    case 'resync':
      return `${event.event}  ${event.instances.length} instances, ${event.source}`;
    case 'upsert': {
      const { service_name, service_id, status, url } = event.instance;
      return `${event.cause}  ${service_name} ${service_id}  ${status}  ${url}`;
    }
    case 'remove':
      return `${event.cause}  ${event.service_name} ${event.service_id}  gone`;
    case 'stale':
      return 'stale  the registry is away';
    case 'live':
      return 'live';
    case 'alert':
      return ['alert ', event.alert, event.service_name, event.service_id].filter(Boolean).join(' ');
    case 'goodbye':
      return event.reason === 'unauthorized' ? 'goodbye  unauthorized' : `goodbye  the server is ${event.reason}`;
  }
}

function idsOf(event: WatchEvent): readonly string[] {
  switch (event.event) {
    case 'snapshot':
    case 'resync':
      return event.instances.map(({ service_id }) => service_id);
    case 'upsert':
      return [event.instance.service_id];
    case 'remove':
      return [event.service_id];
    default:
      return [];
  }
}
