import { BUILT_IN, choicesOf } from '../seams.js';
import { settingsReference } from '../settings/index.js';

/** docs/settings.md, made from the same schema that reads the environment. */
export function settingsPage(): string {
  return `# Settings

Everything is set by variables of the environment. An empty variable counts as not set. Durations are seconds as a number, or \`10s\`, \`1m30s\`, \`500ms\`. An alias is the name of the same setting in an older system; both set and different stops the start. Profiles (\`ENVIRONMENT\`) set defaults only.

\`--print-config\` shows what is in force and where each value came from, secrets masked. Whatever is wrong is reported at once, with variable, value and what is allowed.

${settingsReference(choicesOf(BUILT_IN))}`;
}
