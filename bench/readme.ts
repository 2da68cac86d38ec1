import { ms } from './format.js';
import type { Results } from './results.js';

const BEGIN = '<!-- figures: made by `npm run docs` of bench/results/latest.json -->\n\n';
const END = '\n\n<!-- end of figures -->';

/** The README with the figures of the last results in their place. */
export function withFigures(readme: string, results: Results): string {
  const [before = '', rest = ''] = readme.split(BEGIN, 2);
  const [, after] = rest.split(END, 2);
  if (after === undefined) throw new Error('README.md has no place for the figures');
  return `${before}${BEGIN}${figures(results)}${END}${after}`;
}

function figures({ comparisons, memory, startTime }: Results): string {
  const of = (name: string) => {
    const measured = comparisons[name];
    if (!measured) throw new Error(`${name} was never measured`);
    return measured.result;
  };
  const rate = (name: string) => `${of(name).perSecond.median.toFixed(0)} a second`;
  if (!memory || !startTime) throw new Error('memory or start-time was never measured');
  const { ratio, p99AtHalf } = of('discovery');
  const { instances, afterLoad } = memory.result.variants[0]!;
  return [
    `- cached discovery: ${rate('discovery')}, ${ratio.median.toFixed(2)} of bare Fastify, p99 at half load ${ms(p99AtHalf.server.median)}`,
    `- picks: ${rate('pick-round_robin')}; heartbeats: ${rate('heartbeat')}`,
    `- registrations: ${rate('registration')} in memory, ${rate('registration-durable')} with \`DATA_DIR\``,
    `- ${afterLoad.toFixed(0)} MB resident with ${instances} services, after load`,
    `- ${startTime.result.server.median.toFixed(0)} ms from start to the first answer`,
  ].join('\n');
}
