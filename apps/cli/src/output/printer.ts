import { stringify } from 'yaml';
import type { Format } from './formats.js';
import { table, type Column } from './table.js';
import { surfaceOf } from './terminal.js';
import { escapeControls, oneLine, visible } from './text.js';

/** The screen of a terminal, and back to its corner. */
const CLEAR = '\u001b[2J\u001b[H';
/** Below a table there is room for a note, of two lines perhaps, and the cursor. */
const BELOW = 3;

/** How data looks where a person reads it. */
export interface View<Data, Row> {
  readonly title?: (data: Data) => string;
  readonly rows: (data: Data) => readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly name: (row: Row) => string;
  /** In place of a table without rows. */
  readonly empty?: string;
}

/** Writes what commands have found, in the form that was asked for: results to standard output, words to the other. */
export class Printer {
  private drawn: string | undefined;

  constructor(
    readonly format: Format,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
    private readonly environment: NodeJS.ProcessEnv = process.env,
  ) {}

  /** @param note What is to be known of it, for a person. */
  print<Data, Row>(data: Data, view: View<Data, Row>, note?: string): void {
    this.write(this.render(data, view));
    if (note !== undefined) this.say(note);
  }

  render<Data, Row>(data: Data, view: View<Data, Row>): string {
    switch (this.format) {
      case 'json':
        return escapeControls(JSON.stringify(data, null, 2));
      case 'yaml':
        return yamlOf(data);
      case 'name':
        return view.rows(data).map(view.name).map(oneLine).join('\n');
      case 'table':
        return this.table(data, view);
    }
  }

  /** What has changed: a table in a terminal takes the place of the one before; else it comes after it. */
  redraw<Data, Row>(data: Data, view: View<Data, Row>, note?: string): void {
    const text = this.render(data, view);
    if (this.format === 'table' && this.stdout.isTTY) this.stdout.write(CLEAR + fitted(text, this.stdout.rows));
    else if (text !== this.drawn) this.write(this.format === 'yaml' ? `---\n${text}` : text);
    this.drawn = text;
    if (note !== undefined) this.say(note);
  }

  /** One of many, as they come: a line of text or of JSON, a document of YAML. */
  event(data: object, text: string, names: readonly string[]): void {
    const forms = {
      json: () => escapeControls(JSON.stringify(data)),
      yaml: () => `---\n${yamlOf(data)}`,
      name: () => names.map(oneLine).join('\n'),
      table: () => oneLine(text),
    };
    this.write(forms[this.format]());
  }

  /** A word to a person, on standard error: scripts that read the results do not meet it. */
  say(text: string): void {
    console.error(visible(text));
  }

  /** What has been done, where there is nothing else to show. */
  done(text: string, name: string): void {
    if (this.format === 'table') this.write(visible(text));
    if (this.format === 'name') this.write(oneLine(name));
  }

  private write(text: string): void {
    if (text !== '') this.stdout.write(`${text}\n`);
  }

  private table<Data, Row>(data: Data, { title, rows, columns, empty }: View<Data, Row>): string {
    const found = rows(data);
    // The window may have been resized since.
    const { width, paint } = surfaceOf(this.stdout, this.environment);
    const lines = found.length === 0 && empty !== undefined ? [empty] : table(columns, found, width, paint);
    return [...(title ? [visible(title(data))] : []), ...lines].join('\n');
  }
}

function yamlOf(data: unknown): string {
  return escapeControls(stringify(data, { lineWidth: 0 }).trimEnd());
}

/** As many lines as a screen has room for, and how many more there are. */
function fitted(text: string, rows: number): string {
  const lines = text.split('\n');
  const room = rows - BELOW;
  if (lines.length <= room) return `${text}\n`;
  return `${[...lines.slice(0, room - 1), `… ${lines.length - room + 1} more`].join('\n')}\n`;
}
