import type { Command } from 'commander';
import { action } from '../action.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/findings.js';
import { EXIT } from '../errors.js';
import type { View } from '../output/printer.js';

const FINDINGS: View<readonly Finding[], Finding> = {
  rows: (findings) => findings,
  name: ({ what }) => what,
  columns: [
    { header: 'SERVER', value: ({ server }) => server },
    { header: 'WHAT', value: ({ what }) => what },
    { header: 'SEEN', value: ({ seen }) => seen },
  ],
};

export function doctor(program: Command): void {
  program
    .command('doctor')
    .description('Find out what is wrong with the servers and what is registered there, and how to mend it.')
    .action(
      action(async ({ connection, options, print }) => {
        const examined = await Promise.all(connection.servers.map((server) => examine(server, options)));
        const findings = examined.flat();
        if (print.format === 'table') print.done(told(connection.servers, findings), '');
        else print.print(findings, FINDINGS);
        if (findings.length > 0) process.exitCode = EXIT.findings;
      }),
    );
}

/** Sentences: what mends a thing is not to be cut. */
function told(servers: readonly string[], findings: readonly Finding[]): string {
  const of = (server: string) => findings.filter((each) => each.server === server);
  return servers
    .flatMap((server) => [
      of(server).length === 0 ? `${server}: nothing found` : server,
      ...of(server).flatMap(({ what, seen, mend }) => [`  ${what}: ${seen}`, `    ${mend}`]),
    ])
    .join('\n');
}
