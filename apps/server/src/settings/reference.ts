import type { z } from 'zod';
import { aliasesOf } from './aliases.js';
import { fieldInfo } from './field-info.js';
import { NOT_USED } from './not-used.js';
import { PROFILE_DEFAULTS } from './profiles.js';
import { OPEN_TELEMETRY } from './tracing.js';
import { variables, type Choices } from './variables.js';

const HEADER = ['Variable', 'Default', 'Default by profile', 'Aliases', 'Description'];

/** Every variable there is, those of every backend included, as a table in Markdown. */
export function settingsReference(seams: Choices): string {
  const rows = [
    ...Object.entries(variables(seams).shape).map(([name, field]) => row(name, field)),
    ...seams.schemes.flatMap(({ name, options }) => rowsOf(name, options)),
    ...backendRows(seams),
    ...rowsOf('with TRACING_ENABLED', OPEN_TELEMETRY),
    ...Object.entries(NOT_USED).map(([name, why]) => [code(name), '', '', '', why]),
  ];
  return [HEADER, HEADER.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

/** A variable that several backends share, `REGISTRY_PREFIX` say, has a row for each: its defaults differ. */
function backendRows({ backends }: Choices): string[][] {
  return backends.flatMap(({ type, options }) => rowsOf(type, options));
}

function rowsOf(module: string, { shape }: z.ZodObject): string[][] {
  return Object.entries<z.core.$ZodType>(shape).map(([name, field]) => row(name, field, `${module}: `));
}

function row(name: string, field: z.core.$ZodType, about = ''): string[] {
  const { description, secret, fallback } = fieldInfo(field);
  return [
    code(name),
    fallback === undefined || fallback === '' ? '' : code(fallback),
    profileDefaults(name),
    aliasesOf(name).map(code).join(', '),
    `${about}${description}${secret ? ' (secret)' : ''}`,
  ];
}

function profileDefaults(name: string): string {
  const all: [string, Readonly<Record<string, string>>][] = Object.entries(PROFILE_DEFAULTS);
  return all
    .filter(([, defaults]) => defaults[name] !== undefined)
    .map(([profile, defaults]) => `${profile} ${code(defaults[name]!)}`)
    .join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
