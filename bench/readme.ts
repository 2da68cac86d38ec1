import { ms, replaceBetween } from './format.js';
import type { Results } from './results.js';

const BEGIN = '<!-- figures: made by `npm run docs` of bench/results/latest.json -->';
const END = '<!-- end of figures -->';

/** The README with the figures of the last results in their place. */
export function withFigures(readme: string, results: Results): string {
  return replaceBetween(readme, BEGIN, END, figures(results));
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
  const { instances, afterLoad } = memory.result.variants.find(({ variant }) => variant === 'lean')!;
  return [
    `- cached discovery: ${rate('discovery')}, ${ratio.median.toFixed(2)} of bare Fastify, p99 at half load ${ms(p99AtHalf.server.median)}`,
    `- picks: ${rate('pick-round_robin')}; heartbeats: ${rate('heartbeat')}`,
    `- registrations: ${rate('registration')} in memory, ${rate('registration-durable')} with \`DATA_DIR\``,
    `- ${afterLoad.toFixed(0)} MB resident with ${instances} services, after load, started as the image starts it`,
    `- ${startTime.result.server.median.toFixed(0)} ms from start to the first answer`,
  ].join('\n');
}
