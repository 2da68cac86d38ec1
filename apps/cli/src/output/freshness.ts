import { ageOf } from './age.js';

/** What has to be said with an answer that is not of now; nothing with one that is. */
export function staleness(headers: Headers, now = Date.now()): string | undefined {
  const source = headers.get('x-registry-source');
  if (source === null || source === 'live') return undefined;
  const age = ageOf(new Date(now - Number(headers.get('x-registry-age'))).toISOString(), now);
  return `The registry is away: this is what was known ${age} ago. \`sdctl doctor\` says more.`;
}
