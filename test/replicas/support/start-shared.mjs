import { startShared } from '../../servers/shared.mjs';

/** Of every kind that can run here: which one a suite uses is a matter of its tests. */
export default async () => {
  const { SERVERS, isAvailable } = await import('../../servers/index.ts');
  await Promise.all(SERVERS.filter(isAvailable).map(({ name }) => startShared(name)));
};
