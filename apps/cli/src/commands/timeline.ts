import type { Command } from 'commander';
import { action } from '../action.js';
import type { TimelineEntry } from '../api/wire.js';
import { ageOf } from '../output/age.js';
import { staleness } from '../output/freshness.js';
import type { View } from '../output/printer.js';
import { STYLES } from '../output/views.js';

const TIMELINE: View<readonly TimelineEntry[], TimelineEntry> = {
  rows: (entries) => entries,
  name: ({ service_id }) => service_id,
  columns: [
    { header: 'AGO', value: ({ at }) => ageOf(at) },
    { header: 'ID', value: ({ service_id }) => service_id },
    { header: 'WHAT', value: ({ cause }) => cause },
    {
      header: 'STATUS',
      value: ({ before, status }) =>
        before === null || before === status ? (status ?? '-') : `${before} → ${status ?? '-'}`,
      style: ({ status }) => (status === null ? 'aside' : STYLES[status]),
    },
    { header: 'BY', value: ({ actor }) => actor },
    { header: 'WHY', value: ({ detail, output }) => detail ?? output ?? '', optional: true },
  ],
};

export function timeline(program: Command): void {
  program
    .command('timeline')
    .description('Show what has happened to a service and why, newest first, as far as the server has seen it.')
    .argument('<service>')
    .action(
      action(async ({ api, print }, _options: object, service: string) => {
        const { data, headers } = await api.timeline(service);
        print.print(data, TIMELINE, staleness(headers));
      }),
    );
}
